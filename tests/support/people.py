"""Who lives in a seeded tenant, as far as tests must know it."""

from __future__ import annotations

# Directors of one company, whose account takes both signatures: a consent of theirs opens nothing after the first alone.
JOINT_SIGNATORIES = frozenset({"petra.hofmann", "igor.stein"})

"""What a consent no longer opens."""

from __future__ import annotations

from bank_backend.errors import AccessExceeded


class OneAccessUsed(AccessExceeded):
    """The same again of a consent for one access (429)."""

    problem_code = "consent.one_access_used"
    title = "The one access has been used"

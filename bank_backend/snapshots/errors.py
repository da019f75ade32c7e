"""What the bank refuses about snapshots."""

from __future__ import annotations

from bank_backend.errors import ResourceUnknown, StatusInvalid


class SnapshotUnknown(ResourceUnknown):
    """The tenant has no snapshot of this name (404)."""

    problem_code = "snapshot.unknown"
    title = "The snapshot is unknown"


class SnapshotExists(StatusInvalid):
    """The name is taken (409)."""

    problem_code = "snapshot.exists"
    title = "There is a snapshot of this name"


class TooManySnapshots(StatusInvalid):
    """The tenant keeps as many as it may (409)."""

    problem_code = "snapshot.limit"
    title = "There are too many snapshots"


class SnapshotOutdated(StatusInvalid):
    """A snapshot taken by an earlier version of the bank, which says nothing of what rows need today (409)."""

    problem_code = "snapshot.outdated"
    title = "The snapshot is of an earlier version of the bank"

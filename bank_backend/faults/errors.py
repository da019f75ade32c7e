"""What the bank refuses about faults."""

from __future__ import annotations

from bank_backend.errors import ResourceUnknown, StatusInvalid


class FaultUnknown(ResourceUnknown):
    """The tenant has no fault of this id (404)."""

    problem_code = "fault.unknown"
    title = "The fault is unknown"


class TooManyFaults(StatusInvalid):
    """The tenant has as many as it may (409)."""

    problem_code = "fault.limit"
    title = "There are too many faults"

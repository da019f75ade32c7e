"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10 §3, §4), and Retry-After (RFC 9110 §10.2.3).

Remaining units are what this worker knows of: others may hold leases, so it is an estimate, as the draft lets it be (§6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.meter import Meter

Header = tuple[bytes, bytes]
Told = dict[str, object]
_MORE_THAN_ANY: Final = 1 << 62
EXCEEDED: Final = b"quota-exceeded"


class Telling:
    """What the requests that count to the same meters are told, written for the greater part once."""

    __slots__ = ("_meters", "_policies", "_states")

    def __init__(self, meters: Sequence[Meter]) -> None:
        """Write what stays the same; there is at least one meter."""
        self._meters = meters
        self._policies = (b"ratelimit-policy", b", ".join([meter.policy for meter in meters]))
        self._states = b", ".join([b'"%b";r=%%d;t=%%d' % meter.label for meter in meters])

    def at(self, now: float) -> tuple[list[Header], Told]:
        """Return the fields for the client, and for the audit record the limit that is nearest to its end."""
        figures: list[int] = []
        nearest, least = self._meters[0], _MORE_THAN_ANY
        for meter in self._meters:
            left, reset = meter.figures(now)
            if left < least:
                nearest, least = meter, left
            figures.append(max(0, left))
            figures.append(reset)
        headers = [self._policies, (b"ratelimit", self._states % tuple(figures))]
        told: Told = {"policy": nearest.described, "key": nearest.limit.key.value, "remaining": least}
        if least < 0:
            self._tell_exceeded(headers, told, now)
        return headers, told

    def _tell_exceeded(self, headers: list[Header], told: Told, now: float) -> None:
        """Name the quotas that are exceeded and may be."""
        exceeded = [meter.limit.label for meter in self._meters if meter.figures(now)[0] < 0]
        headers.append((EXCEEDED, b", ".join([b'"%b"' % label.encode("ascii") for label in exceeded])))
        told["remaining"], told["exceeded"] = 0, exceeded


def refused_by(meter: Meter) -> Told:
    """Return the limit that refuses, as the audit record tells of it."""
    return {"policy": meter.described, "key": meter.limit.key.value, "remaining": 0}


def retry_after(meter: Meter, now: float) -> Header:
    """Return when to come again."""
    return b"retry-after", b"%d" % meter.next_unit_seconds(now)

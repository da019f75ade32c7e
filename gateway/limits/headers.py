"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10 §3, §4), and Retry-After (RFC 9110 §10.2.3).

Remaining units are what this worker knows of: others may hold leases, so it is an estimate, as the draft lets it be (§6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.meter import Meter

Header = tuple[bytes, bytes]
EXCEEDED: Final = b"quota-exceeded"


def limit_headers(meters: Sequence[Meter], remaining: Sequence[int], now: float) -> list[Header]:
    """Return the fields that tell a client of its limits, and of the quotas it has exceeded and may exceed.

    `remaining` is what is left of each meter.
    """
    states = b", ".join(
        [
            b'"%b";r=%d;t=%d' % (meter.label, max(0, left), meter.reset_seconds(left, now))
            for meter, left in zip(meters, remaining, strict=True)
        ]
    )
    policies = b", ".join([meter.policy for meter in meters])
    headers = [(b"ratelimit-policy", policies), (b"ratelimit", states)]
    if min(remaining) < 0:
        exceeded = [b'"%b"' % meter.label for meter, left in zip(meters, remaining, strict=True) if left < 0]
        headers.append((EXCEEDED, b", ".join(exceeded)))
    return headers


def limit_record(meters: Sequence[Meter], remaining: Sequence[int]) -> dict[str, object]:
    """Return the limit that is nearest to its end, as the audit record tells of it."""
    least = min(remaining)
    nearest = meters[remaining.index(least)]
    told: dict[str, object] = {"policy": nearest.described, "key": nearest.limit.key.value}
    if least >= 0:
        return told | {"remaining": least}
    exceeded = [meter.limit.label for meter, left in zip(meters, remaining, strict=True) if left < 0]
    return told | {"remaining": 0, "exceeded": exceeded}


def retry_after(meter: Meter, now: float) -> Header:
    """Return when to come again."""
    return b"retry-after", b"%d" % meter.next_unit_seconds(now)

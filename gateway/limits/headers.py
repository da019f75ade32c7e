"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10 §3, §4), and Retry-After (RFC 9110 §10.2.3).

Remaining units are what this worker knows of: others may hold leases, so it is an estimate, as the draft lets it be (§6.1).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from gateway.limits.model import Rate
from gateway.limits.windows import nominal_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.limits.meter import Meter
    from gateway.limits.model import Limit

EXCEEDED = b"quota-exceeded"
Header = tuple[bytes, bytes]


def limit_headers(meters: Sequence[Meter], now: float) -> list[Header]:
    """Return the fields that tell a client of its limits, and of the quotas it has exceeded and may exceed."""
    if not meters:
        return []
    policies = b", ".join([policy_item(meter.limit) for meter in meters])
    states, exceeded = [], []
    for meter in meters:
        remaining = meter.remaining(now)
        states.append(b'"%b";r=%d;t=%d' % (_name(meter.limit), max(0, remaining), meter.reset_seconds(now)))
        if remaining < 0:
            exceeded.append(b'"%b"' % _name(meter.limit))
    headers = [(b"ratelimit-policy", policies), (b"ratelimit", b", ".join(states))]
    if exceeded:
        headers.append((EXCEEDED, b", ".join(exceeded)))
    return headers


def retry_after(meter: Meter, now: float) -> Header:
    """Return when to come again."""
    return b"retry-after", b"%d" % meter.next_unit_seconds(now)


def policy_item(limit: Limit) -> bytes:
    """Return the limit as an item of RateLimit-Policy: so many (`q`) in so many seconds (`w`)."""
    allowance = limit.allowance
    if not isinstance(allowance, Rate):
        return b'"%b";q=%d;w=%d' % (_name(limit), allowance.amount, nominal_seconds(allowance.period))
    if allowance.burst < allowance.per_second:
        return b'"%b";q=%d;w=1' % (_name(limit), int(allowance.per_second))
    return b'"%b";q=%d;w=%d' % (_name(limit), allowance.burst, ceil(allowance.burst / allowance.per_second))


def _name(limit: Limit) -> bytes:
    return limit.label.encode("ascii")

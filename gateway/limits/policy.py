"""A limit as an item of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10 §3)."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Final

from gateway.limits.model import Rate
from gateway.limits.windows import nominal_seconds

if TYPE_CHECKING:
    from gateway.limits.model import Limit

_REMEMBERED: Final = 1_000


@lru_cache(maxsize=_REMEMBERED)
def policy_item(limit: Limit) -> bytes:
    """Return the limit as an item of RateLimit-Policy: so many (`q`) in so many seconds (`w`)."""
    allowance, label = limit.allowance, limit.label.encode("ascii")
    if not isinstance(allowance, Rate):
        return b'"%b";q=%d;w=%d' % (label, allowance.amount, nominal_seconds(allowance.period))
    if allowance.burst < allowance.per_second:
        return b'"%b";q=%d;w=1' % (label, int(allowance.per_second))
    return b'"%b";q=%d;w=%d' % (label, allowance.burst, ceil(allowance.burst / allowance.per_second))

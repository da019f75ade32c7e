"""What a limit means for leasing: how much of its capacity the shared account holds, and how long a leased unit is good for.

A rate promises at most `burst + s * per_second` requests in any span of s seconds. A unit leased now and spent up to
`lease_seconds` later would break that by `per_second * lease_seconds`, so the account holds that much less than the burst.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from gateway.limits.model import Rate
from gateway.limits.windows import window_of

if TYPE_CHECKING:
    from gateway.limits.model import Limit

_LEASED_SHARE: Final = 0.1  # of the burst: what the leases of a rate may cost it
_LONGEST_LEASE_SECONDS: Final = 1.0
_SMALLEST_BURST_TO_LEASE: Final = 10
_SHORTEST_KEEP_SECONDS: Final = 60.0
_MOST_LEASED: Final = 20_000
_QUOTA_SLICE_SECONDS: Final = 2.0
_QUOTA_SHARES: Final = 64  # a slice is at most this fraction of what is left, so that slices shrink as it runs out


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a limit's account in one window; `ends_at` is infinite for a rate."""

    account: str
    capacity: float
    per_second: float
    lease_seconds: float
    ends_at: float

    def keep_seconds(self, now: float) -> float:
        """Return after how long the store may forget the account: it has recovered, or its window is over."""
        if self.ends_at == inf:
            return max(_SHORTEST_KEEP_SECONDS, 2 * self.capacity / self.per_second)
        return self.ends_at - now + _SHORTEST_KEEP_SECONDS

    @property
    def slice_seconds(self) -> float:
        """For how long what is leased at once should last: a rate's nearly until it ends, a quota's for some requests more."""
        return 0.75 * self.lease_seconds if self.ends_at == inf else _QUOTA_SLICE_SECONDS

    def most_leased(self, left: float) -> int:
        """Return how much a worker may hold ahead of need, where `left` is what the account has."""
        if self.ends_at == inf:
            return min(_MOST_LEASED, int(self.per_second * self.lease_seconds))
        return max(0, min(_MOST_LEASED, int(left / _QUOTA_SHARES)))


def terms_of(limit: Limit, value: str, now: float) -> Terms:
    """Return the terms for one value of the limit's key, at `now`."""
    allowance = limit.allowance
    account = f"{limit.counter}|{value}"
    if isinstance(allowance, Rate):
        lease_seconds = 0.0
        if allowance.burst >= _SMALLEST_BURST_TO_LEASE:
            lease_seconds = min(_LONGEST_LEASE_SECONDS, _LEASED_SHARE * allowance.burst / allowance.per_second)
        return Terms(
            account=account,
            capacity=allowance.burst - allowance.per_second * lease_seconds,
            per_second=allowance.per_second,
            lease_seconds=lease_seconds,
            ends_at=inf,
        )
    begin, end = window_of(allowance.period, now)
    return Terms(
        account=f"{account}|{allowance.period}|{begin:.0f}",
        capacity=allowance.amount,
        per_second=0.0,
        lease_seconds=inf,
        ends_at=end,
    )

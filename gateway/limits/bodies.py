"""What documents say of rates and quotas, and the limits that it comes to."""

# Not `from __future__ import annotations`: pydantic reads the types of the fields while the classes are made.
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from gateway.configuration.bodies import DocumentBody
from gateway.limits.model import Breach, Limit, LimitKey, Period, Quota, Rate

_MOST_PER_SECOND: Final = 100_000
_LEAST_PER_SECOND: Final = 1e-6  # one in eleven days and a half; far below, no answer could say when to come again
_MOST_BURST: Final = 1_000_000
_MOST_AMOUNT: Final = 1_000_000_000_000


class RateBody(DocumentBody):
    """In any span of s seconds at most `burst + s * per_second` requests."""

    per_second: Annotated[float, Field(ge=_LEAST_PER_SECOND, le=_MOST_PER_SECOND, description="requests a second, on average")]
    burst: Annotated[
        int | None, Field(ge=1, le=_MOST_BURST, description="requests at once; default: those of one second, at least 1")
    ] = None


class QuotaBody(DocumentBody):
    """At most `amount` requests in each calendar period, in UTC."""

    amount: Annotated[int, Field(ge=1, le=_MOST_AMOUNT, description="requests in each period")]
    per: Annotated[Period, Field(description="the calendar period, in UTC; weeks begin on Monday")]
    on_breach: Annotated[
        Breach, Field(description="reject answers 429; allow lets the request through, counts it and says so")
    ] = Breach.REJECT


class AllowanceBody(DocumentBody):
    """A rate, quotas, or both."""

    rate: Annotated[RateBody | None, Field(description="requests a second, with a burst")] = None
    quotas: Annotated[
        list[QuotaBody], Field(default_factory=list, max_length=5, description="requests a calendar period; each period once")
    ]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.rate is None and not self.quotas:
            raise ValueError("neither rate nor quotas: write at least one of the two")
        periods = [quota.per for quota in self.quotas]
        if len(set(periods)) < len(periods):
            raise ValueError("two quotas have the same period: write one for each")
        return self


class LimitBody(AllowanceBody):
    """A limit of a deployment or route: how often requests may come, counted by `key`."""

    key: Annotated[
        LimitKey,
        Field(
            description="what is counted by itself: total (all together), address (IPv6 by /64), certificate, subscriber, or "
            "client (of the access token); a request without it is counted by its address"
        ),
    ]


def limits_of(body: AllowanceBody, *, scope: str, key: LimitKey, prefix: str = "") -> Iterator[Limit]:
    """Give the limits; `scope` names whose they are, `prefix` begins their labels."""
    if body.rate is not None:
        burst = body.rate.burst or max(1, ceil(body.rate.per_second))
        yield Limit(scope=scope, label=f"{prefix}rate", key=key, allowance=Rate(per_second=body.rate.per_second, burst=burst))
    for quota in body.quotas:
        allowance = Quota(amount=quota.amount, period=quota.per, on_breach=quota.on_breach)
        yield Limit(scope=scope, label=f"{prefix}quota-{quota.per}", key=key, allowance=allowance)


def route_limits(bodies: Sequence[LimitBody], *, scope: str) -> tuple[Limit, ...]:
    """Return the limits of a deployment or a route (`scope`); their labels begin with the key."""
    return tuple(limit for body in bodies for limit in limits_of(body, scope=scope, key=body.key, prefix=f"{body.key}-"))

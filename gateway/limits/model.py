"""What a limit says: how much, of what kind, counted for whom. Parsed once, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LimitKey(StrEnum):
    """For whom a limit counts: each value of the key has a counter of its own."""

    TOTAL = "total"
    ADDRESS = "address"  # IPv6 by /64
    CERTIFICATE = "certificate"
    SUBSCRIBER = "subscriber"
    CLIENT = "client"


class Period(StrEnum):
    """A calendar period, in UTC; weeks begin on Monday (ISO 8601)."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Breach(StrEnum):
    """What becomes of a request above a quota: refused, or let through, counted, and said so."""

    REJECT = "reject"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """In any span of s seconds, at most `burst + s * per_second` requests."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `amount` requests in each calendar period."""

    amount: int
    period: Period
    on_breach: Breach = Breach.REJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit. `scope` is what it belongs to (`plan gold/accounts`, `deployment ais`), and names its counters with `label`.

    `label` is unique within the scope, and what clients read in RateLimit fields.
    """

    scope: str
    label: str
    key: LimitKey
    allowance: Rate | Quota

    @property
    def counter(self) -> str:
        """What the counters of this limit are called in the store, before the key's value."""
        return f"{self.scope}|{self.label}"

    @property
    def described(self) -> str:
        """What people read of it."""
        return f"{self.scope}: {self.label}"

    @property
    def in_words(self) -> str:
        """What a deployment's page says of it."""
        whom = "in all" if self.key is LimitKey.TOTAL else f"for each {self.key}"
        if isinstance(self.allowance, Rate):
            return f"at most {self.allowance.per_second:g} requests a second, {self.allowance.burst} at once, {whom}"
        exceeded = ", and what is above it is counted and let through" if self.may_be_exceeded else ""
        return f"at most {self.allowance.amount} requests a {self.allowance.period}, {whom}{exceeded}"

    @property
    def may_be_exceeded(self) -> bool:
        """Whether a request above it passes."""
        return isinstance(self.allowance, Quota) and self.allowance.on_breach is Breach.ALLOW

"""Plans, subscribers, and what a deployment asks of them: parsed once, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.limits.model import Limit

EVERY: Final = "*"
"""Every deployment, in an entitlement; every TPP, in a subscriber's certificates."""


class Subscription(StrEnum):
    """Whether a route counts its callers to a plan: not at all, those who have one, or everybody: strangers are refused."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class TokenLocation(StrEnum):
    """Where a subscriber's token stands in a request."""

    HEADER = "header"
    QUERY = "query"
    PATH = "path"  # the `{secret}` segment of the route's template
    AUTH = "auth"  # the credentials of an Authorization scheme
    HOST = "host"  # the label before a domain of the gateway's


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """What a route asks. `name`: of the header (lower case), query parameter or Authorization scheme, or the domain; or empty.

    Without a `location` subscribers are recognised by their certificates alone.
    """

    subscription: Subscription
    location: TokenLocation | None = None
    name: str = ""


NO_PLAN: Final = PlanRule(subscription=Subscription.OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What a plan grants on some deployments."""

    deployments: frozenset[str]
    limits: tuple[Limit, ...]

    def covers(self, deployment: str) -> bool:
        """Whether it is about this deployment."""
        return deployment in self.deployments or EVERY in self.deployments


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A usage plan."""

    name: str
    entitlements: tuple[Entitlement, ...]

    def entitlement(self, deployment: str) -> Entitlement | None:
        """Return the first entitlement that is about this deployment."""
        return next((entitlement for entitlement in self.entitlements if entitlement.covers(deployment)), None)


class SubscriberState(StrEnum):
    """Whether a subscriber may call."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From when until when something counts; epoch seconds, None without a bound."""

    begins: float | None = None
    ends: float | None = None

    def holds(self, now: float) -> bool:
        """Whether it counts now."""
        return (self.begins is None or self.begins <= now) and (self.ends is None or now < self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberToken:
    """A token, by its SHA-256; several at a time make a change without a gap."""

    id: str
    sha256: str
    validity: Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberCertificate:
    """How a certificate is recognised, by exactly one of three. `plan` is the tier of its holder, None: the first that fits."""

    sha256: str | None = None
    authorisation_number: str | None = None
    san: str | None = None
    plan: str | None = None
    validity: Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Who subscribes to plans, in the order in which they are looked through."""

    name: str
    state: SubscriberState
    plans: tuple[str, ...]
    tokens: tuple[SubscriberToken, ...]
    certificates: tuple[SubscriberCertificate, ...]

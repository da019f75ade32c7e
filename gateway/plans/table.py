"""All plans and subscribers of one configuration, ready to be asked for each request."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.plans.kind import PLANS, SUBSCRIBERS
from gateway.plans.model import EVERY, Subscriber, SubscriberState
from gateway.plans.redaction import Redaction, Redactions
from gateway.policies.kind import DEPLOYMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.configuration.snapshot import Snapshot
    from gateway.limits.model import Limit
    from gateway.plans.model import Plan, SubscriberCertificate, SubscriberToken
    from psd2.certificates import Psd2Certificate


@dataclass(frozen=True, slots=True)
class Recognised:
    """A subscriber, by which of its plans it calls (None: by the first that fits), and as whom it is counted."""

    subscriber: Subscriber
    tier: str | None
    counted_as: str


@dataclass(frozen=True, slots=True)
class Entitled:
    """Whose call it is, by which plan, and within which limits."""

    subscriber: str
    counted_as: str
    plan: str
    limits: tuple[Limit, ...]


class PlanTable:
    """Finds subscribers by token and certificate."""

    def __init__(self, plans: Mapping[str, Plan], subscribers: Iterable[Subscriber]) -> None:
        """Index them."""
        self._plans = plans
        self._by_token: dict[str, tuple[Subscriber, SubscriberToken]] = {}
        self._by_mark: dict[tuple[str, str], tuple[Subscriber, SubscriberCertificate]] = {}
        for subscriber in subscribers:
            for token in subscriber.tokens:
                self._by_token[token.sha256] = (subscriber, token)
            for entry in subscriber.certificates:
                self._by_mark[_mark(entry)] = (subscriber, entry)

    def by_token(self, token: bytes, now: float) -> Recognised | None:
        """Return whose token it is."""
        subscriber, entry = self._by_token.get(hashlib.sha256(token).hexdigest(), (None, None))
        if subscriber is None or entry is None or not entry.validity.holds(now):
            return None
        return Recognised(subscriber, None, subscriber.name)

    def by_certificate(self, certificate: Psd2Certificate, now: float) -> Recognised | None:
        """Return whose certificate it is: this very one, its authorisation number, a name in it, or anybody's."""
        number = certificate.authorisation_number or ""
        marks = [("sha256", certificate.sha256), ("number", number), *(("san", name.lower()) for name in certificate.dns_names)]
        for mark in (*marks, ("number", EVERY)):
            subscriber, entry = self._by_mark.get(mark, (None, None))
            if subscriber is None or entry is None or not entry.validity.holds(now):
                continue
            is_anybody = mark[1] == EVERY
            return Recognised(subscriber, entry.plan, f"{subscriber.name} {number}" if is_anybody else subscriber.name)
        return None

    def entitled(self, recognised: Recognised, deployment: str) -> Entitled | None:
        """Return by which plan the subscriber may call the deployment; None where by none."""
        subscriber = recognised.subscriber
        if subscriber.state is not SubscriberState.ACTIVE:
            return None
        for name in (recognised.tier,) if recognised.tier else subscriber.plans:
            entitlement = self._plans[name].entitlement(deployment)
            if entitlement is not None:
                return Entitled(subscriber.name, recognised.counted_as, name, entitlement.limits)
        return None


def _mark(entry: SubscriberCertificate) -> tuple[str, str]:
    if entry.sha256 is not None:
        return "sha256", entry.sha256
    if entry.authorisation_number is not None:
        return "number", entry.authorisation_number
    return "san", entry.san or ""


class Plans:
    """The plans in force in this worker: a part of its configuration."""

    def __init__(self) -> None:
        """Know none yet."""
        self.table = PlanTable({}, ())
        self.redactions = Redactions()

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Index the plans of `snapshot`."""
        table = PlanTable(snapshot.of(PLANS), snapshot.of(SUBSCRIBERS).values())
        redaction = Redaction(route for deployment in snapshot.of(DEPLOYMENTS).values() for route in deployment.routes)

        def put_in_force() -> None:
            self.table, self.redactions.now = table, redaction

        return put_in_force

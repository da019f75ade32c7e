"""The kinds `plans` and `subscribers`: what their documents mean, refer to, and may not contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.configuration.bodies import read_body
from gateway.configuration.model import Document, DocumentRefused, Fault, Kind, Reference
from gateway.limits.bodies import limits_of
from gateway.limits.model import LimitKey
from gateway.plans.bodies import EntitlementBody, PlanBody, SubscriberBody
from gateway.plans.model import (
    EVERY,
    Entitlement,
    Plan,
    Subscriber,
    SubscriberCertificate,
    SubscriberToken,
    Validity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.configuration.snapshot import Snapshot
    from gateway.plans.bodies import CertificateBody, TokenBody


def parse_plan(document: Document) -> Plan:
    """Return the plan; raises `DocumentRefused`."""
    body = read_body(PlanBody, document)
    return Plan(name=document.name, entitlements=tuple(_entitlement(document.name, each) for each in body.entitlements))


def parse_subscriber(document: Document) -> Subscriber:
    """Return the subscriber; raises `DocumentRefused`."""
    body = read_body(SubscriberBody, document)
    faults = [
        Fault(f"certificates[{place}].plan", f"{entry.plan} is none of this subscriber's plans: {', '.join(body.plans)}")
        for place, entry in enumerate(body.certificates)
        if entry.plan is not None and entry.plan not in body.plans
    ]
    for field, values in (("plans", body.plans), ("tokens", [token.id for token in body.tokens])):
        if len(set(values)) < len(values):
            faults.append(Fault(field, "one of them is there twice"))
    if faults:
        raise DocumentRefused(faults)
    return Subscriber(
        name=document.name,
        state=body.state,
        plans=tuple(body.plans),
        tokens=tuple(_token(entry) for entry in body.tokens),
        certificates=tuple(_certificate(entry) for entry in body.certificates),
    )


def _entitlement(plan: str, body: EntitlementBody) -> Entitlement:
    # Counters go by what they are about, not by their place: an entitlement that is put before others counts on.
    scope = f"plan {plan}: {' '.join(sorted(body.deployments))}"
    limits = tuple(limits_of(body, scope=scope, key=LimitKey.SUBSCRIBER))
    return Entitlement(deployments=frozenset(body.deployments), limits=limits)


def _token(body: TokenBody) -> SubscriberToken:
    return SubscriberToken(id=body.id, sha256=body.sha256, validity=Validity(begins=body.begins, ends=body.ends))


def _certificate(body: CertificateBody) -> SubscriberCertificate:
    return SubscriberCertificate(
        sha256=body.sha256,
        authorisation_number=body.authorisation_number,
        san=body.san.lower() if body.san else None,
        plan=body.plan,
        validity=Validity(begins=body.begins, ends=body.ends),
    )


def _deployments_of(plan: Plan) -> Iterator[Reference]:
    for place, entitlement in enumerate(plan.entitlements):
        for deployment in sorted(entitlement.deployments - {EVERY}):
            yield Reference(f"entitlements[{place}].deployments", "deployments", deployment)


def _plans_of(subscriber: Subscriber) -> Iterator[Reference]:
    for place, plan in enumerate(subscriber.plans):
        yield Reference(f"plans[{place}]", "plans", plan)


def _claimed_twice(snapshot: Snapshot) -> Iterable[Fault]:
    """Nobody is two subscribers: a token or certificate that two claim would leave it to chance whose calls are counted."""
    owners: dict[tuple[str, str], str] = {}
    for name, subscriber in sorted(snapshot.of(SUBSCRIBERS).items()):
        for field, what, value in _marks(subscriber):
            owner = owners.setdefault((what, value), name)
            if owner != name:
                yield Fault(field, f"{what} {value} is that of subscribers/{owner} already", f"subscribers/{name}")


def _marks(subscriber: Subscriber) -> Iterator[tuple[str, str, str]]:
    for place, token in enumerate(subscriber.tokens):
        yield f"tokens[{place}].sha256", "token", token.sha256
    for place, entry in enumerate(subscriber.certificates):
        for what, value in (
            ("certificate", entry.sha256),
            ("authorisation number", entry.authorisation_number),
            ("san", entry.san),
        ):
            if value is not None:
                yield f"certificates[{place}]", what, value


def _plan_in_words(plan: Plan, snapshot: Snapshot) -> Mapping[str, object]:
    subscribers = sorted(name for name, each in snapshot.of(SUBSCRIBERS).items() if plan.name in each.plans)
    granted = {" ".join(sorted(each.deployments)): [limit.in_words for limit in each.limits] for each in plan.entitlements}
    return {"grants": granted, "subscribers": subscribers}


PLANS: Final = Kind(
    name="plans",
    summary="Usage plans: which deployments their subscribers may call, and how often",
    parse=parse_plan,
    schema=PlanBody.model_json_schema,
    references=_deployments_of,
    describe=_plan_in_words,
)
SUBSCRIBERS: Final = Kind(
    name="subscribers",
    summary="Who subscribes to usage plans, and how they are recognised: by token or by certificate",
    parse=parse_subscriber,
    schema=SubscriberBody.model_json_schema,
    references=_plans_of,
    conflicts=_claimed_twice,
)

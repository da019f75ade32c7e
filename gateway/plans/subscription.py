"""Who subscribes: the step of a request's way at which a stranger is refused where a plan is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal
from gateway.plans.model import Subscription
from gateway.plans.tokens import Bearing, TwoTokens, taken_out

if TYPE_CHECKING:
    from gateway.plans.table import Entitled, PlanTable, Recognised
    from gateway.policies.model import Route
    from psd2.certificates import Psd2Certificate


def entitled_subscriber(
    bearing: Bearing, route: Route, certificate: Psd2Certificate | None, table: PlanTable, now: float
) -> Entitled | None:
    """Return whose call it is and by which plan, None where the route does without; raises 403.

    A token that is presented is judged in any case: one that is no good must not pass as none at all.
    """
    if route.plan.subscription is Subscription.OFF:
        return None
    recognised = _recognised(bearing, route, certificate, table, now)
    if recognised is None:
        if route.plan.subscription is Subscription.REQUIRED:
            raise Refusal("plan.not_subscribed", "neither a subscriber's token nor a subscriber's certificate")
        return None
    entitled = table.entitled(recognised, route.deployment)
    if entitled is None:
        name, state = recognised.subscriber.name, recognised.subscriber.state
        raise Refusal("plan.not_subscribed", f"subscriber {name} ({state}) has no plan for deployment {route.deployment}")
    return entitled


def _recognised(
    bearing: Bearing, route: Route, certificate: Psd2Certificate | None, table: PlanTable, now: float
) -> Recognised | None:
    try:
        token = taken_out(route.plan, route.template, bearing).token
    except TwoTokens as error:
        raise Refusal("plan.token_unknown", str(error)) from error
    if token is not None:
        recognised = table.by_token(token, now)
        if recognised is None:
            raise Refusal("plan.token_unknown", "no token of a subscriber, or not in force")
        return recognised
    return table.by_certificate(certificate, now) if certificate is not None else None

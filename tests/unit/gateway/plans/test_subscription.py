"""Who is recognised as which subscriber, by token or certificate, and what becomes of strangers."""

from __future__ import annotations

import hashlib
import time
from functools import cache
from typing import Any

import pytest

from gateway.admission.refusal import Refusal
from gateway.configuration.model import Document
from gateway.plans.kind import PLANS, SUBSCRIBERS
from gateway.plans.subscription import entitled_subscriber
from gateway.plans.table import Entitled, PlanTable
from gateway.plans.tokens import Bearing
from psd2.certificates import Psd2Certificate, parse_certificate
from tests.support.deployments import only_route
from tests.support.pki import NUMBER, Authority

NOW = time.time()
REQUIRED = {"subscription": "required", "location": "header", "name": "X-Api-Key"}
TOKEN = {"id": "a", "sha256": hashlib.sha256(b"T").hexdigest()}


@cache
def certificate() -> Psd2Certificate:
    return parse_certificate(Authority().qwac().der)


def table(*subscribers: dict[str, Any]) -> PlanTable:
    """Index plans gold and silver for deployment one, bronze for another, and these subscribers: sub-0, sub-1."""
    granted = {"gold": "one", "silver": "*", "bronze": "other"}
    plans = {
        name: PLANS.parse(Document("plans", name, {"entitlements": [{"deployments": [deployment], "rate": {"per_second": 1}}]}))
        for name, deployment in granted.items()
    }
    parsed = [
        SUBSCRIBERS.parse(Document("subscribers", f"sub-{place}", {"plans": ["gold"]} | body))
        for place, body in enumerate(subscribers)
    ]
    return PlanTable(plans, parsed)


def asked(
    plans: PlanTable, *, token: str | None = None, presents: bool = False, rule: dict[str, Any] | None = None
) -> Entitled | None:
    lines = [f"x-api-key: {token}\r\n".encode()] if token is not None else []
    route = only_route(plan=rule or REQUIRED)
    return entitled_subscriber(
        Bearing("/things", b"", b"x", None, lines), route, certificate() if presents else None, plans, NOW
    )


def refused(plans: PlanTable, **request: Any) -> str:
    with pytest.raises(Refusal) as error:
        asked(plans, **request)
    assert error.value.status == 403
    return error.value.reason


def test_a_token_says_who_calls() -> None:
    """By its hash: nothing else of it is stored."""
    entitled = asked(table({"tokens": [TOKEN]}), token="T")
    assert entitled is not None
    assert (entitled.subscriber, entitled.counted_as, entitled.plan) == ("sub-0", "sub-0", "gold")
    assert [limit.scope for limit in entitled.limits] == ["plan gold: one"]


def test_strangers_are_refused_where_a_plan_is_required() -> None:
    """Without anything, with an unknown token, with a certificate that is nobody's."""
    plans = table({"tokens": [TOKEN]})
    assert refused(plans) == "plan.not_subscribed"
    assert refused(plans, token="U") == "plan.token_unknown"
    assert refused(plans, presents=True) == "plan.not_subscribed"


def test_strangers_pass_where_it_is_optional_but_not_with_a_bad_token() -> None:
    """A token that is no good must not pass as none at all."""
    optional = REQUIRED | {"subscription": "optional"}
    assert asked(table(), rule=optional) is None
    assert refused(table(), token="U", rule=optional) == "plan.token_unknown"
    assert asked(table(), token="U", rule={"subscription": "off"}) is None


def test_a_suspended_subscriber_is_refused() -> None:
    """Also where everybody else may call as a TPP: its own name goes first."""
    everybody = {"certificates": [{"authorisation_number": "*"}]}
    own = {"state": "suspended", "tokens": [TOKEN], "certificates": [{"authorisation_number": NUMBER}]}
    plans = table(everybody, own)
    assert refused(plans, token="T") == "plan.not_subscribed"
    assert refused(plans, presents=True) == "plan.not_subscribed"


def test_a_subscriber_without_a_plan_for_the_deployment_is_refused() -> None:
    """Its plan is for another."""
    assert refused(table({"plans": ["bronze"], "tokens": [TOKEN]}), token="T") == "plan.not_subscribed"


@pytest.mark.parametrize(
    "mark", [{"sha256": "own"}, {"authorisation_number": NUMBER}, {"san": "TPP.example"}, {"authorisation_number": "*"}]
)
def test_a_certificate_says_who_calls(mark: dict[str, str]) -> None:
    """This very one, its authorisation number, a name in it, or anybody's; each TPP of the last is counted by itself."""
    mark = mark | ({"sha256": certificate().sha256} if "sha256" in mark else {})
    if "san" in mark:
        mark = {"san": certificate().dns_names[0].upper()}
    entitled = asked(table({"certificates": [mark]}), presents=True)
    assert entitled is not None
    assert entitled.counted_as == (f"sub-0 {NUMBER}" if mark.get("authorisation_number") == "*" else "sub-0")


def test_an_own_mark_goes_before_everybodys() -> None:
    """So that one TPP can be given more than all others."""
    plans = table({"certificates": [{"authorisation_number": "*"}]}, {"certificates": [{"authorisation_number": NUMBER}]})
    entitled = asked(plans, presents=True)
    assert entitled is not None
    assert entitled.subscriber == "sub-1"


def test_a_certificate_may_be_of_a_tier() -> None:
    """A plan of its own among the subscriber's."""
    entry = {"sha256": certificate().sha256, "plan": "silver"}
    entitled = asked(table({"plans": ["gold", "silver"], "certificates": [entry]}), presents=True)
    assert entitled is not None
    assert entitled.plan == "silver"


@pytest.mark.parametrize(("begins", "ends", "counts"), [(-60, 60, True), (60, 120, False), (-120, -60, False)])
def test_tokens_and_certificates_count_for_their_time(begins: float, ends: float, *, counts: bool) -> None:
    """Several overlap, so that a change makes no gap."""
    timed = {"not_before": _moment(begins), "expires": _moment(ends)}
    plans = table({"tokens": [TOKEN | timed], "certificates": [{"sha256": certificate().sha256} | timed]})
    if counts:
        assert asked(plans, token="T")
        assert asked(plans, presents=True)
    else:
        assert refused(plans, token="T") == "plan.token_unknown"
        assert refused(plans, presents=True) == "plan.not_subscribed"


def _moment(offset: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + offset))

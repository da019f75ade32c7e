"""What plans and subscribers may say, and every fault of what they may not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.configuration.files import parse_documents
from gateway.configuration.model import Document, DocumentRefused, Kinds
from gateway.configuration.snapshot import Parsed, SetRefused, Snapshot, parsed_document, require_consistent
from gateway.kinds import KINDS
from gateway.limits.model import Breach, Limit, LimitKey, Period, Quota, Rate
from gateway.plans.kind import PLANS, SUBSCRIBERS
from gateway.seeds import packaged_documents

if TYPE_CHECKING:
    from gateway.plans.model import Plan, Subscriber

SHA = "ab" * 32


def plan(**body: Any) -> Plan:
    return PLANS.parse(Document("plans", "gold", body))


def subscriber(name: str = "acme", **body: Any) -> Subscriber:
    return SUBSCRIBERS.parse(Document("subscribers", name, {"plans": ["gold"], **body}))


def faults(refused: pytest.ExceptionInfo[DocumentRefused]) -> dict[str, str]:
    return {fault.field: fault.problem for fault in refused.value.faults}


def test_a_plan_grants_rates_and_quotas_for_deployments() -> None:
    """Each is a limit for the subscriber, with a counter and a label of its own."""
    entitlement = {
        "deployments": ["xs2a"],
        "rate": {"per_second": 2.5},
        "quotas": [{"amount": 10, "per": "day"}, {"amount": 100, "per": "month", "on_breach": "allow"}],
    }
    (granted,) = plan(entitlements=[entitlement]).entitlements
    assert granted.covers("xs2a")
    assert not granted.covers("other")
    assert granted.limits == (
        _limit("rate", Rate(per_second=2.5, burst=3)),
        _limit("quota-day", Quota(amount=10, period=Period.DAY)),
        _limit("quota-month", Quota(amount=100, period=Period.MONTH, on_breach=Breach.ALLOW)),
    )


def _limit(label: str, allowance: Rate | Quota) -> Limit:
    return Limit(scope="plan gold: xs2a", label=label, key=LimitKey.SUBSCRIBER, allowance=allowance)


@pytest.mark.parametrize(
    ("entitlement", "field", "words"),
    [
        ({"deployments": []}, "entitlements[0].deployments", "at least 1"),
        ({"deployments": ["a"]}, "entitlements[0]", "neither rate nor quotas"),
        ({"deployments": ["a"], "rate": {"per_second": 0}}, "entitlements[0].rate.per_second", "greater than or equal"),
        ({"deployments": ["a"], "rate": {"per_second": 1e-320}}, "entitlements[0].rate.per_second", "greater than or equal"),
        ({"deployments": ["a"], "rate": {"per_second": 1, "burst": 0}}, "entitlements[0].rate.burst", "greater than or equal"),
        ({"deployments": ["a"], "quotas": [{"amount": 1, "per": "year"}]}, "entitlements[0].quotas[0].per", "'month'"),
        ({"deployments": ["a"], "quotas": [{"amount": 1, "per": "day"}] * 2}, "entitlements[0]", "same period"),
        ({"deployments": ["a"], "rate": {"per_second": 1}, "limit": 1}, "entitlements[0].limit", "no such field"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(entitlement: dict[str, Any], field: str, words: str) -> None:
    """The fault names the field."""
    with pytest.raises(DocumentRefused) as refused:
        plan(entitlements=[entitlement])
    assert words in faults(refused)[field]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"plans": []}, "plans", "at least 1"),
        ({"plans": ["gold", "gold"]}, "plans", "twice"),
        ({"tokens": [{"id": "a", "sha256": SHA}, {"id": "a", "sha256": SHA}]}, "tokens", "twice"),
        ({"tokens": [{"id": "a", "sha256": "secret"}]}, "tokens[0].sha256", "pattern"),
        ({"tokens": [{"id": "a", "sha256": SHA, "expires": 5}]}, "tokens[0].expires", "valid string"),
        ({"tokens": [{"id": "a", "sha256": SHA, "expires": "2027-01-01T00:00:00"}]}, "tokens[0].expires", "with its zone"),
        ({"certificates": [{"sha256": SHA, "san": "a"}]}, "certificates[0]", "exactly one"),
        ({"certificates": [{}]}, "certificates[0]", "exactly one"),
        ({"certificates": [{"sha256": SHA, "plan": "silver"}]}, "certificates[0].plan", "none of this subscriber's plans"),
        (
            {"certificates": [{"san": "a", "not_before": "2027-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z"}]},
            "certificates[0]",
            "not after",
        ),
    ],
)
def test_a_subscriber_that_makes_no_sense_is_refused(body: dict[str, Any], field: str, words: str) -> None:
    """The fault names the field."""
    with pytest.raises(DocumentRefused) as refused:
        subscriber(**body)
    assert words in faults(refused)[field]


def test_a_token_or_certificate_is_one_subscribers() -> None:
    """What two claim would leave it to chance whose calls are counted."""
    marks = {"tokens": [{"id": "a", "sha256": SHA}], "certificates": [{"san": "A.example"}]}
    snapshot = Snapshot(
        [
            _parsed("plans", "gold", plan(entitlements=[{"deployments": ["*"], "rate": {"per_second": 1}}])),
            *[_parsed("subscribers", name, subscriber(name, **marks)) for name in ("one", "two")],
        ]
    )
    with pytest.raises(SetRefused) as refused:
        require_consistent(Kinds((PLANS, SUBSCRIBERS)), snapshot)
    assert [(fault.document, fault.field) for fault in refused.value.faults] == [
        ("subscribers/two", "tokens[0].sha256"),
        ("subscribers/two", "certificates[0]"),
    ]


def test_documents_refer_to_what_they_name() -> None:
    """So that a plan in use can't be deleted, nor a deployment that a plan names."""
    named = plan(entitlements=[{"deployments": ["*", "xs2a"], "rate": {"per_second": 1}}])
    assert [(reference.kind, reference.name) for reference in PLANS.references(named)] == [("deployments", "xs2a")]
    assert [(reference.kind, reference.name) for reference in SUBSCRIBERS.references(subscriber())] == [("plans", "gold")]


def _parsed(kind: str, name: str, model: object) -> Parsed:
    return Parsed(Document(kind, name, {}), model)


def test_the_example_of_the_page_on_plans_is_a_configuration() -> None:
    """Together with what comes with the gateway."""
    page = (Path(__file__).parents[4] / "docs" / "usage-plans.md").read_text("utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    documents = [*packaged_documents(), *parse_documents(example, where="docs/usage-plans.md")]
    snapshot = Snapshot(parsed_document(KINDS, document) for document in documents)
    require_consistent(KINDS, snapshot)
    assert set(snapshot.of(SUBSCRIBERS)) == {"acme", "every-tpp"}


def test_a_plans_page_tells_what_it_grants_and_to_whom() -> None:
    """In words."""
    gold = plan(entitlements=[{"deployments": ["xs2a", "fx"], "rate": {"per_second": 2}}])
    snapshot = Snapshot([_parsed("plans", "gold", gold), _parsed("subscribers", "acme", subscriber())])
    assert PLANS.describe(gold, snapshot) == {
        "grants": {"fx xs2a": ["at most 2 requests a second, 2 at once, for each subscriber"]},
        "subscribers": ["acme"],
    }

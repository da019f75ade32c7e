"""What a deployment may ask of plans, and what could never be met."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.configuration.model import DocumentRefused
from gateway.plans.model import PlanRule, Subscription, TokenLocation
from gateway.policies.descriptions import asked
from tests.support.deployments import only_route

REQUIRED = {"subscription": "required"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mtls": "off", "plan": REQUIRED}, "nobody could be recognised"),
        ({"plan": REQUIRED | {"location": "path"}}, "no segment {secret}"),
        ({"scopes": ["AIS"], "plan": REQUIRED | {"location": "auth", "name": "Token"}}, "where the access token stands"),
        ({"listener": "welcome", "mtls": "off", "plan": REQUIRED | {"location": "query", "name": "k"}}, "in the clear"),
        ({"plan": REQUIRED | {"location": "header"}}, "write a header's name"),
        ({"plan": REQUIRED | {"location": "header", "name": "Host"}}, "a meaning of its own"),
        ({"plan": REQUIRED | {"location": "auth", "name": "bearer"}}, "a meaning of its own"),
        ({"plan": REQUIRED | {"location": "path", "name": "k"}}, "leave it out"),
        ({"plan": REQUIRED | {"location": "host", "name": "a/b"}}, "the domain"),
        ({"plan": {"subscription": "off", "location": "query", "name": "k"}}, "leave location out"),
        ({"limits": [{"key": "address"}]}, "neither rate nor quotas"),
        ({"limits": [{"key": "planet", "rate": {"per_second": 1}}]}, "'client'"),
    ],
)
def test_what_could_never_be_met_is_refused(fields: dict[str, Any], words: str) -> None:
    """The fault says what would be right."""
    with pytest.raises(DocumentRefused, match=words):
        only_route(**fields)


def test_a_routes_word_goes_before_its_deployments() -> None:
    """Also where it lifts what the deployment asks."""
    rule = {"subscription": "required", "location": "header", "name": "X-Api-Key"}
    assert only_route(plan=rule).plan == PlanRule(
        subscription=Subscription.REQUIRED, location=TokenLocation.HEADER, name="x-api-key"
    )
    assert only_route({"plan": {"subscription": "off"}}, plan=rule).plan.subscription is Subscription.OFF


def test_a_deployments_page_tells_of_plan_and_limits() -> None:
    """In words."""
    limits = [{"key": "address", "rate": {"per_second": 2.5}, "quotas": [{"amount": 9, "per": "day", "on_breach": "allow"}]}]
    words = list(asked(only_route(plan={"subscription": "optional", "location": "query", "name": "k"}, limits=limits)))
    assert "the caller may be a plan's subscriber, by a token in query k or its certificate" in words
    assert "at most 2.5 requests a second, 3 at once, for each address" in words
    assert "at most 9 requests a day, for each address, and what is above it is counted and let through" in words

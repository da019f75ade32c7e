"""Which caller may use which addresses: each door tried by the wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bank_backend.app import create_app
from tests.support.bank_core import TENANT

if TYPE_CHECKING:
    from tests.support.bank_core import SeededBank

TPP = {"X-Sandbox-Tpp": TENANT, "X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"}


def status(bank: SeededBank, path: str, *, caller: str | None, **headers: str) -> int:
    client = create_app(bank.services).test_client()
    if caller is not None:
        client.environ_base["chassis.caller"] = caller
    return client.get(path, headers=TPP | headers).status_code


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("/sandbox/v1/data", "gateway", "portal"),
        (f"/internal/tenants/{TENANT}", "portal", "gateway"),
    ],
)
def test_a_door_opens_to_its_caller_only(bank: SeededBank, path: str, right: str, wrong: str) -> None:
    """The portal may not speak for a TPP, nor what the edge forwards for the portal."""
    assert status(bank, path, caller=right) == 200
    assert status(bank, path, caller=wrong) == 403


@pytest.mark.parametrize("path", ["/v1/accounts", "/v2/consents/confirmation-of-funds/x", "/v1/consents/x"])
def test_berlin_group_resources_are_the_gateways(bank: SeededBank, path: str) -> None:
    """Identity headers from the portal are worth nothing."""
    assert status(bank, path, caller="portal") == 403


def test_interactions_are_the_gateways_own(bank: SeededBank) -> None:
    """The portal may not decide for a PSU, and nobody may through the edge."""
    assert status(bank, "/internal/interactions/x", caller="portal") == 403
    assert status(bank, "/internal/interactions/x", caller="gateway", **{"X-Sandbox-Listener": "edge"}) == 403
    assert status(bank, "/internal/interactions/x", caller="gateway") == 404


@pytest.mark.parametrize(("listener", "expected"), [("edge", 200), ("front", 403), ("welcome", 403)])
def test_tpp_addresses_are_on_the_mutual_tls_listener_only(bank: SeededBank, listener: str, expected: int) -> None:
    """A browser's listener never leads to a TPP's data."""
    assert status(bank, "/sandbox/v1/data", caller="gateway", **{"X-Sandbox-Listener": listener}) == expected


def test_a_request_that_passed_no_guard_is_answered_nothing(bank: SeededBank) -> None:
    """Without `AcceptedCallers` in front nobody is anybody: the request fails."""
    assert status(bank, "/sandbox/v1/data", caller=None) == 500


def test_health_is_for_everybody_who_gets_in(bank: SeededBank) -> None:
    """The supervisor asks without being anybody in particular."""
    assert status(bank, "/health", caller="portal") == 200


def test_an_address_without_a_door_does_not_exist(bank: SeededBank) -> None:
    """New addresses are shut until somebody says whose they are."""
    assert status(bank, "/admin", caller="gateway") == 404

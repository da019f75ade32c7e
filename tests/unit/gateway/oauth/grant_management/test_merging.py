"""A client adds accounts to what it was granted: the PSU is asked for the whole, and nothing is lost (§5.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.bank import InteractionStatus
from tests.support.authorization import AuthorizationWorld, answer_of, refusal_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.oauth.scope import BerlinScope

GIRO, SAVINGS = {"iban": "DE02100100109307118603", "currency": "EUR"}, {"iban": "DE02700100800030876808"}


def details(access: Mapping[str, Any], **terms: Any) -> str:
    usual = {"recurringIndicator": True, "validUntil": "2026-06-01", "frequencyPerDay": 4}
    return json.dumps([{"type": "account_information", "access": access} | usual | terms])


def of_accounts(*references: dict[str, str]) -> dict[str, Any]:
    return {"accounts": list(references), "balances": list(references)}


def asking(access: Mapping[str, Any], *, grant: str | None = None, **terms: Any) -> dict[str, Any]:
    action = {"grant_management_action": "create"} if grant is None else {"grant_management_action": "merge", "grant_id": grant}
    return {"scope": None, "authorization_details": details(access, **terms)} | action


def granted(world: AuthorizationWorld, access: Mapping[str, Any] | None = None, **terms: Any) -> str:
    grant: str = world.tokens(**asking(access or of_accounts(GIRO), **terms))["grant_id"]
    return grant


def test_the_psu_is_asked_for_the_whole(world: AuthorizationWorld) -> None:
    """What the grant holds and what is asked for, each once; the terms are the wider of both."""
    grant = granted(world, validUntil="2026-07-01", frequencyPerDay=2)

    wanted = {"transactions": [SAVINGS], "balances": [SAVINGS, GIRO]}
    tokens = world.tokens(**asking(wanted, grant=grant, actions=["read_balances", "read_transactions", "list_accounts"]))

    asked = world.bank.made[-1].request
    assert asked == {
        "access": {"accounts": [GIRO], "balances": [GIRO, SAVINGS], "transactions": [SAVINGS]},
        "recurringIndicator": True,
        "validUntil": "2026-07-01",
        "frequencyPerDay": 4,
    }
    assert (tokens["grant_id"], tokens["scope"]) == (grant, "AIS:made-2")
    (told,) = tokens["authorization_details"]
    assert told["access"] == asked["access"]
    assert "actions" not in told


def test_earlier_tokens_and_the_earlier_consent_end(world: AuthorizationWorld) -> None:
    """As the draft has it of refresh tokens: once the code is redeemed, and no sooner."""
    first = world.tokens(**asking(of_accounts(GIRO)))
    code = world.code(**asking(of_accounts(SAVINGS), grant=first["grant_id"]))
    before = world.introspect(first["access_token"])["active"], list(world.bank.ended)

    second = world.redeem(code).get_json()

    assert before == (True, [])
    assert world.bank.ended == ["AIS:made-1"]
    assert world.refresh(first["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert world.introspect(second["access_token"])["active"]


def test_an_account_in_all_currencies_takes_in_that_in_one(world: AuthorizationWorld) -> None:
    """And blanks or small letters in an IBAN make no other account."""
    grant = granted(world, of_accounts(GIRO))
    whole = {"iban": "de02 1001 0010 9307 1186 03"}

    world.tokens(**asking(of_accounts(whole), grant=grant))

    asked = world.bank.made[-1].request
    assert asked is not None
    assert asked["access"]["accounts"] == [whole]


def test_names_of_owners_are_added_too(world: AuthorizationWorld) -> None:
    """What stands below additionalInformation is merged list by list."""
    names = {"additionalInformation": {"ownerName": [GIRO]}}
    grant = granted(world, of_accounts(GIRO) | names)

    world.tokens(**asking(of_accounts(SAVINGS) | {"additionalInformation": {"ownerName": [SAVINGS]}}, grant=grant))

    asked = world.bank.made[-1].request
    assert asked is not None
    assert asked["access"]["additionalInformation"] == {"ownerName": [GIRO, SAVINGS]}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"authorization_details": None, "scope": "accounts"}, "grant_management_action: merge takes"),
        ({"authorization_details": None, "scope": "AIS:consent-1"}, "grant_management_action: merge takes"),
        (
            {"authorization_details": '[{"type": "account_information", "identifier": "consent-1"}]'},
            "grant_management_action: merge takes",
        ),
        ({"authorization_details": details({"allPsd2": "allAccounts"})}, "grant_management_action: merge adds"),
        ({"authorization_details": details({"accounts": []})}, "grant_management_action: merge adds"),
        (
            {"authorization_details": details({"accounts": [GIRO], "additionalInformation": {"ownerName": []}})},
            "grant_management_action: merge adds",
        ),
    ],
)
def test_only_accounts_that_are_named_can_be_added(world: AuthorizationWorld, changes: dict[str, Any], named: str) -> None:
    """A consent that there is already says what it is about, and what the PSU picks can't be known beforehand."""
    grant = granted(world)

    refused = refusal_in(world.authorize(**(asking(of_accounts(SAVINGS), grant=grant) | changes)))

    assert refused["error"] == "invalid_request"
    assert refused["error_description"].startswith(named)
    assert "replace" in refused["error_description"]
    assert len(world.bank.made) == 1


@pytest.mark.parametrize(
    "held",
    [
        asking({"allPsd2": "allAccounts"}),
        {"scope": "AIS:consent-1", "grant_management_action": "create"},
        {"scope": "PIS:payment-1", "grant_management_action": "create"},
    ],
)
def test_only_to_accounts_that_are_named(world: AuthorizationWorld, held: dict[str, Any]) -> None:
    """All accounts can't become more, and a payment is none."""
    world.bank.awaiting.add(("PSDDE-BAFIN-100001", "pis", "payment-1"))
    grant = world.tokens(**held)["grant_id"]

    refused = refusal_in(world.authorize(**asking(of_accounts(SAVINGS), grant=grant)))

    assert refused["error"] == "invalid_request"
    assert refused["error_description"].startswith("grant_id: names a grant that is not for named accounts")


def test_a_consent_that_has_ended_at_the_bank_is_not_brought_back(world: AuthorizationWorld) -> None:
    """The PSU has taken it away, in its bank app: the client says anew what it wants."""
    grant = granted(world)
    world.bank.ended.append("AIS:made-1")

    refused = refusal_in(world.authorize(**asking(of_accounts(SAVINGS), grant=grant)))

    assert refused["error"] == "invalid_grant_id"
    assert "is terminatedByTpp at the bank" in refused["error_description"]
    assert len(world.bank.made) == 1


def test_of_two_at_once_none_is_lost(world: AuthorizationWorld) -> None:
    """The second was approved as the grant was before the first: it is refused, and what it would undo lives on."""
    grant = granted(world)
    codes = [world.code(**asking(of_accounts(added), grant=grant)) for added in (SAVINGS, {"iban": "DE12500105170648489890"})]

    first, second = (world.redeem(code) for code in codes)

    assert (first.status_code, second.status_code) == (200, 400)
    assert second.get_json()["error"] == "invalid_grant"
    assert second.get_json()["error_description"].startswith("code: the grant has changed since")
    assert world.introspect(first.get_json()["access_token"])["active"]
    assert "AIS:made-2" not in world.bank.ended


def test_another_psu_adds_nothing(world: AuthorizationWorld) -> None:
    """What it approved is ended."""
    grant = granted(world)
    world.authorize(**asking(of_accounts(SAVINGS), grant=grant))
    world.bank.settle(InteractionStatus.APPROVED, psu="jonas.brandt")

    refused = answer_of(world.resume())

    assert (refused["error"], world.bank.ended) == ("invalid_grant_id", ["AIS:made-2"])


def test_of_two_at_the_same_instant_none_is_lost(world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are found to fit, and the second is redeemed before the first is kept."""
    grant = granted(world)
    first, second = (world.code(**asking(of_accounts(SAVINGS), grant=grant)) for _ in range(2))
    end, between = world.bank.end, []

    def redeem_meanwhile(scope: BerlinScope, *, tenant: str) -> None:
        monkeypatch.setattr(world.bank, "end", end)
        between.append(world.redeem(second).status_code)
        end(scope, tenant=tenant)

    monkeypatch.setattr(world.bank, "end", redeem_meanwhile)
    late = world.redeem(first)

    assert (between, late.status_code, late.get_json()["reason"]) == ([200], 400, "grant.changed")
    assert "AIS:made-3" not in world.bank.ended

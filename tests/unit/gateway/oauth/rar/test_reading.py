"""`authorization_details` read: the right passes, what is wrong in one way is refused with place and rule (RFC 9396 §5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.oauth.rar.judgement import require_allowed
from gateway.oauth.rar.model import DetailType
from gateway.oauth.rar.reading import MOST_CHARACTERS, read_details
from gateway.oauth.refusals import OAuthRefused
from psd2.roles import PspRole

IBAN = "DE75512108001245126199"
EDGE = "https://localhost:8443"
ACCOUNTS: dict[str, Any] = {
    "type": "account_information",
    "access": {"accounts": [{"iban": IBAN}], "balances": [{"iban": IBAN, "currency": "EUR"}]},
    "recurringIndicator": True,
    "validUntil": "2027-03-01",
    "frequencyPerDay": 4,
}
PAYMENT: dict[str, Any] = {
    "type": "payment_initiation",
    "paymentProduct": "sepa-credit-transfers",
    "debtorAccount": {"iban": IBAN},
    "instructedAmount": {"currency": "EUR", "amount": "12.50"},
    "creditorAccount": {"iban": IBAN},
    "creditorName": "Bäckerei Müller",
    "remittanceInformationUnstructured": "Invoice 42",
}
FUNDS: dict[str, Any] = {"type": "funds_confirmation", "account": {"iban": IBAN}, "cardNumber": "1234"}


def refusal_of(*entries: object, text: str | None = None) -> str:
    with pytest.raises(OAuthRefused) as caught:
        read_details(json.dumps(list(entries)) if text is None else text)
    assert caught.value.refusal.error == "invalid_authorization_details"
    return caught.value.refusal.description


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (entry | changes).items() if value is not ...}


@pytest.mark.parametrize(("entry", "type_"), list(zip((ACCOUNTS, PAYMENT, FUNDS), DetailType, strict=True)))
def test_each_type_is_read(entry: dict[str, Any], type_: DetailType) -> None:
    """What goes to the bank is the Berlin Group's body: neither RFC 9396's fields nor what stands in the path."""
    detail = read_details(json.dumps([entry | {"locations": [EDGE]}]))

    assert detail.type is type_
    assert detail.identifier is None
    assert detail.request == {name: value for name, value in entry.items() if name not in {"type", "paymentProduct"}}
    assert detail.product == entry.get("paymentProduct")


def test_what_was_made_before_is_named_by_its_identifier() -> None:
    """RFC 9396 §2.2: the id says everything else."""
    detail = read_details('[{"type": "payment_initiation", "identifier": "4711-a"}]')

    assert (detail.identifier, detail.request) == ("4711-a", {})


@pytest.mark.parametrize(
    "words",
    [
        {"actions": ["read_balances", "list_accounts"]},
        {"datatypes": ["accounts", "balances"]},
    ],
)
def test_actions_and_kinds_of_data_that_agree_with_access(words: dict[str, Any]) -> None:
    """They say again what `access` says, in RFC 9396's words, and in any order."""
    assert read_details(json.dumps([ACCOUNTS | words])).told["access"] == ACCOUNTS["access"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{", "$ is no JSON"),
        ('{"type": "account_information"}', "$ is no array"),
        ("[]", "$ holds 0 entries"),
        ('["account_information"]', "$[0] is no object"),
        ('[{"type": "a", "type": "b"}]', "$ names type twice"),
        ('[{"type": NaN}]', "$ is no JSON"),
        ("[" * 5000, "$ is no JSON"),
        ("x" * (MOST_CHARACTERS + 1), f"at most {MOST_CHARACTERS} are read"),
        ('[{"access": {}}]', "$[0].type is missing"),
        ('[{"type": "insurance"}]', "$[0].type is insurance, which is none of account_information,"),
    ],
)
def test_what_can_not_be_read_is_refused(text: str, rule: str) -> None:
    """Before any field of a type is looked at."""
    assert rule in refusal_of(text=text)


def test_several_entries_at_once_are_refused() -> None:
    """Each is a consent or payment of its own."""
    assert "$ holds 2 entries: ask for one in each request" in refusal_of(ACCOUNTS, PAYMENT)


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (changed(ACCOUNTS, access=...), "$[0].access is missing"),
        (changed(ACCOUNTS, accesses={}), "$[0].accesses is not known here"),
        (changed(ACCOUNTS, privileges=["admin"]), "$[0].privileges is not known here"),
        (changed(ACCOUNTS, identifier="4711"), "$[0].access is not known here"),
        (changed(ACCOUNTS, access={"accounts": [{"iban": "12"}]}), "$[0].access.accounts[0].iban must match"),
        (changed(ACCOUNTS, access={"accounts": [{}]}), "$[0].access.accounts[0] names an account by exactly one"),
        (changed(ACCOUNTS, access={"accounts": [{"iban": IBAN}] * 51}), "$[0].access.accounts has more than the 50 entries"),
        (changed(ACCOUNTS, validUntil="2027-02-30"), "$[0].validUntil is no date"),
        (changed(ACCOUNTS, recurringIndicator="yes"), "$[0].recurringIndicator must be a valid boolean"),
        (changed(ACCOUNTS, frequencyPerDay=0), "$[0].frequencyPerDay must be"),
        (changed(ACCOUNTS, actions=["read_balances"]), "$[0].actions says something else than access"),
        (changed(ACCOUNTS, actions=["pay"]), "$[0].actions[0] is none of list_accounts,"),
        (changed(ACCOUNTS, datatypes=["accounts", "transactions"]), "$[0].datatypes says something else"),
        (changed(PAYMENT, paymentProduct="cash"), "$[0].paymentProduct must be 'sepa"),
        (changed(PAYMENT, instructedAmount={"currency": "EUR", "amount": "0.00"}), "$[0].instructedAmount holds no amount"),
        (changed(PAYMENT, instructedAmount={"currency": "EUR", "amount": "1.005"}), "$[0].instructedAmount holds no amount"),
        (
            changed(PAYMENT, instructedAmount={"currency": "EUR", "amount": 12.5}),
            "$[0].instructedAmount.amount must be a valid",
        ),
        (changed(PAYMENT, creditorName="Eve\u202eliraG"), "$[0].creditorName holds a control character"),
        (changed(PAYMENT, creditorAccount={"iban": IBAN, "bban": "1"}), "$[0].creditorAccount names an account by exactly"),
        (changed(PAYMENT, datatypes=["accounts"]), "$[0].datatypes[0] is nothing that this type has"),
        (changed(FUNDS, account={"pan": "1"}), "$[0].account.iban is missing; $[0].account.pan is not known here"),
        (changed(FUNDS, cardExpiryDate="20301231"), "$[0].cardExpiryDate is no date"),
        (changed(FUNDS, locations=[]), "$[0].locations is wrong"),
    ],
)
def test_a_fault_is_named_with_its_place(entry: dict[str, Any], rule: str) -> None:
    """The path leads from `$`, the array, to the field."""
    assert rule in refusal_of(entry)


def test_a_field_s_name_is_shown_as_what_it_is_text_from_outside() -> None:
    """No quote, and nothing beyond ASCII, gets into an error_description (RFC 6749 §5.2)."""
    assert '"' not in refusal_of(changed(ACCOUNTS, **{'a"b\u00fc': 1})).replace("a?b?", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"types": ["payment_initiation"]}, "client.authorization_details_type"),
        ({"roles": [PspRole.PI, PspRole.IC]}, "psd2.role"),
        ({"location": "https://other.example"}, "oauth.authorization_details"),
    ],
)
def test_whoever_may_not_ask_is_refused(changes: dict[str, Any], reason: str) -> None:
    """By the client's registered types, the TPP's roles, and the place that tokens are for."""
    detail = read_details(json.dumps([ACCOUNTS | {"locations": [EDGE]}]))
    allowed: dict[str, Any] = {"roles": [PspRole.AI], "types": ["account_information"], "location": EDGE}

    require_allowed(detail, **allowed)
    require_allowed(detail, **(allowed | {"types": []}))
    with pytest.raises(OAuthRefused) as caught:
        require_allowed(detail, **(allowed | changes))

    assert caught.value.refusal.reason == reason

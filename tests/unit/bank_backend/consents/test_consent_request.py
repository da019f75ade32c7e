"""Reading `POST /v1/consents`: each body is wrong in exactly one way, and the refusal names where."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bank_backend.consents.model import Access, AllAccounts
from bank_backend.consents.requests import parse_consent_request
from bank_backend.consents.wire import access_as_json, access_from_json
from bank_backend.errors import BankError
from bank_backend.personalities.model import ConsentModel, Personality, Service
from bank_backend.personalities.profiles import load_profiles
from bank_backend.references import AccountReference
from psd2.tpp_messages import MessageCode
from tests.support.bank_sca import consent_body

TODAY = date(2026, 11, 18)
IBAN = "DE89370400440532013000"
NAMED = {"iban": IBAN}
STANDARD = load_profiles(None)["standard"]
NARROW = replace(
    STANDARD,
    combined_service=False,
    recurring_consents=False,
    frequency_per_day=2,
    consent_lifetime_days=90,
    owner_name=False,
    consent_models=frozenset({ConsentModel.DEDICATED}),
    services=STANDARD.services - {Service.CARD_ACCOUNTS},
)


def parse(*, bank: Personality = STANDARD, **changes: Any) -> Any:
    body = {name: value for name, value in consent_body(**changes).items() if value is not ...}
    return parse_consent_request(json.dumps(body).encode(), today=TODAY, personality=bank)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"access": ...}, "FORMAT_ERROR", "access"),
        ({"recurringIndicator": ...}, "FORMAT_ERROR", "recurringIndicator"),
        ({"recurringIndicator": "yes"}, "FORMAT_ERROR", "recurringIndicator"),
        ({"validUntil": ...}, "FORMAT_ERROR", "validUntil"),
        ({"validUntil": "20301231"}, "FORMAT_ERROR", "validUntil"),
        ({"validUntil": "2030-02-30"}, "FORMAT_ERROR", "validUntil"),
        ({"validUntil": "2026-11-17"}, "PERIOD_INVALID", "validUntil"),
        ({"frequencyPerDay": ...}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": 0}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": 5}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": "4"}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": True}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"recurringIndicator": False}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"surprise": 1}, "FORMAT_ERROR", "surprise"),
        ({"access": {}}, "FORMAT_ERROR", "access"),
        ({"access": {"additionalInformation": {"ownerName": []}}}, "FORMAT_ERROR", "access"),
        ({"access": {"allPsd2": "everything"}}, "FORMAT_ERROR", "access.allPsd2"),
        ({"access": {"allPsd2": "allAccounts", "balances": []}}, "FORMAT_ERROR", "access.allPsd2"),
        ({"access": {"balances": [], "transactions": [NAMED]}}, "FORMAT_ERROR", "access.balances"),
        ({"access": {"balances": [{"iban": "DE89370400440532013001"}]}}, "FORMAT_ERROR", "access.balances[0].iban"),
        ({"access": {"balances": [{"iban": "DE89 3704 0044 0532 0130 00"}]}}, "FORMAT_ERROR", "access.balances[0].iban"),
        ({"access": {"balances": [NAMED | {"currency": "euro"}]}}, "FORMAT_ERROR", "access.balances[0].currency"),
        ({"access": {"balances": [{"pan": "5409050000000002"}]}}, "FORMAT_ERROR", "access.balances[0].pan"),
        ({"access": {"balances": [{"maskedPan": "5409-0001"}]}}, "FORMAT_ERROR", "access.balances[0].maskedPan"),
        ({"access": {"balances": [NAMED | {"maskedPan": "999941xxxxxx3249"}]}}, "FORMAT_ERROR", "access.balances[0]"),
        ({"access": {"balances": [{"bban": "BARC12345612345678"}]}}, "FORMAT_ERROR", "access.balances[0]"),
        ({"access": {"balances": [{"currency": "EUR"}]}}, "FORMAT_ERROR", "access.balances[0]"),
        ({"access": {"balances": [NAMED], "restrictedTo": ["CACC"]}}, "FORMAT_ERROR", "access.restrictedTo"),
        ({"access": {"allPsd2": "allAccounts", "restrictedTo": ["current"]}}, "FORMAT_ERROR", "access.restrictedTo[0]"),
        ({"access": {"balances": [NAMED] * 51}}, "FORMAT_ERROR", "access.balances"),
        (
            {"access": {"balances": [NAMED], "additionalInformation": {"ownerName": [{"iban": "DE02100100109307118603"}]}}},
            "FORMAT_ERROR",
            "access.additionalInformation.ownerName",
        ),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], code: str, path: str) -> None:
    """Code and JSON path tell the developer what to fix (BG IG §4.13)."""
    with pytest.raises(BankError) as refused:
        parse(**changes)

    assert (refused.value.code, refused.value.path) == (MessageCode(code), path)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"combinedServiceIndicator": True}, "SESSIONS_NOT_SUPPORTED", "combinedServiceIndicator"),
        ({"recurringIndicator": True}, "PARAMETER_NOT_SUPPORTED", "recurringIndicator"),
        ({"access": {"balances": []}}, "PARAMETER_NOT_SUPPORTED", "access"),
        ({"access": {"allPsd2": "allAccounts"}}, "PARAMETER_NOT_SUPPORTED", "access.allPsd2"),
        ({"access": {"balances": [{"maskedPan": "999941xxxxxx3249"}]}}, "PARAMETER_NOT_SUPPORTED", "access.balances[0]"),
    ],
)
def test_a_bank_may_leave_options_out(changes: dict[str, Any], code: str, path: str) -> None:
    """Its personality says which; the refusal names the field that asks for it."""
    one_off = {"recurringIndicator": False, "frequencyPerDay": 1, "access": {"balances": [NAMED]}}

    with pytest.raises(BankError) as refused:
        parse(bank=NARROW, **one_off | changes)

    assert (refused.value.code, refused.value.path) == (MessageCode(code), path)


def test_a_bank_may_grant_less_than_180_days() -> None:
    """BG IG §6.3.1.1: future dates might get adjusted."""
    asked = parse(bank=NARROW, recurringIndicator=False, frequencyPerDay=1, access={"balances": [NAMED]})

    assert asked.valid_until == date(2027, 2, 16)


def test_an_owners_name_that_is_not_offered_is_left_aside() -> None:
    """BG IG §6.3.1.1: the request is not refused for it."""
    access = {"balances": [NAMED], "additionalInformation": {"ownerName": [NAMED], "trustedBeneficiaries": []}}

    asked = parse(bank=NARROW, recurringIndicator=False, frequencyPerDay=1, access=access)

    assert asked.access == Access(balances=(AccountReference(IBAN),))


def test_a_session_may_be_asked_for() -> None:
    """`combinedServiceIndicator`: a payment may join it (BG IG §9)."""
    assert parse(combinedServiceIndicator=True).combined


def test_cards_are_named_by_their_number() -> None:
    """Whole or masked; whichever sign hides the middle (BG IG §14.18)."""
    access = {"balances": [{"pan": "9999410000003249"}], "transactions": [{"maskedPan": "999941******3249", "currency": "EUR"}]}

    asked = parse(access=access).access

    assert asked.balances == (AccountReference(pan="9999410000003249"),)
    assert asked.transactions == (AccountReference(masked_pan="999941xxxxxx3249", currency="EUR"),)


def test_no_json_is_said_to_be_none() -> None:
    """Line and column of the first thing that is wrong."""
    with pytest.raises(BankError, match=r"no JSON: .* line 1, column"):
        parse_consent_request(b'{"access": ', today=TODAY, personality=STANDARD)


def test_the_longest_validity_is_180_days() -> None:
    """`9999-12-31` asks for the maximum and gets it (BG IG §6.3.1.1; RTS Art. 10)."""
    assert parse(validUntil="9999-12-31").valid_until == date(2027, 5, 17)


def test_today_is_a_good_last_day() -> None:
    """A consent for today only."""
    assert parse(validUntil="2026-11-18").valid_until == TODAY


def test_an_absent_combined_service_indicator_is_false() -> None:
    """The guidelines' own examples leave it out (§6.3.1)."""
    assert parse(combinedServiceIndicator=...).recurring


def test_one_access_has_frequency_one() -> None:
    """BG IG §6.3.1.1: for a one-off access the attribute is 1."""
    assert not parse(recurringIndicator=False, frequencyPerDay=1).recurring


@pytest.mark.parametrize(
    "access",
    [
        Access(balances=(AccountReference(IBAN, "EUR"), AccountReference("DE02100100109307118603"))),
        Access(accounts=(), balances=(), transactions=(), owner_name=()),
        Access(available_accounts=AllAccounts.ALL_ACCOUNTS_WITH_OWNER_NAME),
        Access(available_accounts_with_balance=AllAccounts.ALL_ACCOUNTS),
        Access(all_psd2=AllAccounts.ALL_ACCOUNTS, restricted_to=("CACC", "CARD")),
        Access(balances=(AccountReference(masked_pan="999941xxxxxx3249"), AccountReference(pan="9999410000003249"))),
    ],
)
def test_what_is_written_reads_back_the_same(access: Access) -> None:
    """The store keeps the wire form."""
    assert access_from_json(access_as_json(access)) == access

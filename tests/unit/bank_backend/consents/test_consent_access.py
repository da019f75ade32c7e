"""The door in front of account data: right token, right consent, covered, not too often (BG IG 1.3.8 §6.5, §13.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import request

from bank_backend.accounts.model import AccessKind, AccountRights, GrantedAccess
from bank_backend.calls import tpp_call
from bank_backend.consents.wiring import create_consents
from bank_backend.errors import ConsentInvalid
from psd2.ids import AccountId, PsuId
from tests.support.bank_core import ANNA, COMPANY, JONAS, KARL, OTHER_TENANT, TENANT
from tests.support.bank_sca import BankDesk, Tpp, refusal

if TYPE_CHECKING:
    from typing import Any

    from werkzeug.test import TestResponse


REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
ONE_OFF = {"recurringIndicator": False, "frequencyPerDay": 1}
BOOKED = "bookingStatus=booked&dateFrom=2025-11-01"
NO_PSU = {"PSU_IP_Address": ""}


def account(desk: BankDesk, place: int = 0, psu: PsuId = ANNA) -> str:
    return desk.bank.services.accounts.accounts_of(TENANT, psu)[place].id


def read(tpp: Tpp, consent: str, path: str = "", **headers: str) -> TestResponse:
    return tpp.get(f"/v1/accounts{path}", Consent_ID=consent, **headers)


def test_a_token_opens_its_consents_accounts(desk: BankDesk) -> None:
    """The one chosen account, its balances and transactions."""
    consent = desk.consent()
    desk.decide(desk.begin("ais", consent), accounts=[account(desk, 1)])
    tpp = desk.reader(consent)

    listed: Any = read(tpp, consent).json

    assert [each["resourceId"] for each in listed["accounts"]] == [account(desk, 1)]
    assert read(tpp, consent, f"/{account(desk, 1)}/balances").status_code == 200
    assert read(tpp, consent, f"/{account(desk, 1)}/transactions?{BOOKED}").status_code == 200


def test_an_account_outside_the_consent_is_not_opened(desk: BankDesk) -> None:
    """401 CONSENT_INVALID for an own account that was not chosen, 404 for one that the tenant has not."""
    consent = desk.consent()
    desk.decide(desk.begin("ais", consent), accounts=[account(desk, 1)])
    tpp = desk.reader(consent)

    assert refusal(read(tpp, consent, f"/{account(desk, 0)}")) == (401, "CONSENT_INVALID", None)
    assert refusal(read(tpp, consent, f"/{account(desk, 0, KARL)}/balances")) == (401, "CONSENT_INVALID", None)
    assert read(tpp, consent, "/11111111-2222-4333-8444-555555555555").status_code == 404


def test_balances_alone_open_no_transactions(desk: BankDesk) -> None:
    """What was asked for, and no more."""
    consent = desk.approved_consent(access={"balances": [{"iban": desk.iban()}]})
    tpp = desk.reader(consent)

    assert read(tpp, consent, f"/{account(desk)}/balances").status_code == 200
    answer = read(tpp, consent, f"/{account(desk)}/transactions?{BOOKED}")
    assert refusal(answer) == (401, "CONSENT_INVALID", None)


def test_the_door_itself_refuses_what_is_not_covered(desk: BankDesk) -> None:
    """Without the account resources behind it, which look once more."""
    consent = desk.consent(access={"balances": [], "additionalInformation": {"ownerName": []}})
    desk.decide(desk.begin("ais", consent), accounts=[account(desk, 1)])
    headers = {"X-Sandbox-Tpp": TENANT, "X-Sandbox-Scope": f"AIS:{consent}", "X-Request-ID": REQUEST_ID}
    with desk.app.test_request_context(headers=headers):
        call = tpp_call(request)

    def enter(access: AccessKind, place: int) -> GrantedAccess:
        door, wanted = create_consents(desk.bank.services).access, account(desk, place)
        with desk.bank.database.reading() as connection:
            return door.require_access(connection, call, consent_id=consent, access=access, account_id=wanted)

    granted = enter(AccessKind.BALANCES, 1)
    expected = AccountRights(account_id=AccountId(account(desk, 1)), balances=True, transactions=False, owner_name=True)
    assert granted.rights == (expected,)
    for access, place in ((AccessKind.TRANSACTIONS, 1), (AccessKind.BALANCES, 0), (AccessKind.ACCOUNTS, 0)):
        with pytest.raises(ConsentInvalid):
            enter(access, place)


def test_the_consent_id_must_be_the_tokens(desk: BankDesk) -> None:
    """A token for one consent opens no other, not even of the same TPP and PSU (BG IG §13.1)."""
    first = desk.approved_consent()
    second = desk.approved_consent(**ONE_OFF)

    answer = read(desk.reader(first), second)

    assert refusal(answer) == (401, "TOKEN_INVALID", "Consent-ID")


def test_a_scope_that_only_begins_like_the_consents_is_not_it(desk: BankDesk) -> None:
    """Scopes are compared whole."""
    consent = desk.approved_consent()
    tpp = Tpp(desk.app.test_client(), scope=f"AIS:{consent}x PIS:{consent} {consent}", subject=ANNA)

    assert refusal(read(tpp, consent)) == (401, "TOKEN_INVALID", "Consent-ID")


def test_another_tpps_consent_is_unknown_even_with_its_scope(desk: BankDesk) -> None:
    """400 CONSENT_UNKNOWN in the header, the same as for an id never made."""
    consent = desk.approved_consent()
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT, scope=f"AIS:{consent}", subject=ANNA)

    assert refusal(read(stranger, consent)) == (400, "CONSENT_UNKNOWN", "Consent-ID")


def test_another_psus_token_does_not_fit(desk: BankDesk) -> None:
    """The token's subject and the consent's PSU are one person."""
    consent = desk.approved_consent()
    tpp = Tpp(desk.app.test_client(), scope=f"AIS:{consent}", subject=JONAS)

    assert refusal(read(tpp, consent)) == (401, "TOKEN_INVALID", None)


def test_an_unapproved_consent_opens_nothing(desk: BankDesk) -> None:
    """Received is not valid."""
    consent = desk.consent()

    assert refusal(read(desk.reader(consent), consent)) == (401, "CONSENT_INVALID", None)


def test_an_expired_consent_says_so(desk: BankDesk) -> None:
    """401 CONSENT_EXPIRED, so that the TPP knows to ask anew (BG IG §14.11.1)."""
    consent = desk.approved_consent(validUntil="2026-11-20")

    desk.bank.clock.advance(timedelta(days=3))

    assert refusal(read(desk.reader(consent), consent)) == (401, "CONSENT_EXPIRED", None)


def test_without_the_psu_each_reading_is_limited_by_day(desk: BankDesk) -> None:
    """FrequencyPerDay by account and kind of data: the third is 429; others, and tomorrow, are open (BG IG §6.5)."""
    consent = desk.approved_consent(frequencyPerDay=2)
    tpp, path = desk.reader(consent), f"/{account(desk)}/balances"
    assert [read(tpp, consent, path, **NO_PSU).status_code for _ in range(2)] == [200, 200]

    assert refusal(read(tpp, consent, path, **NO_PSU)) == (429, "ACCESS_EXCEEDED", None)

    assert read(tpp, consent, f"/{account(desk, 1)}/balances", **NO_PSU).status_code == 200
    assert read(tpp, consent, f"/{account(desk)}/transactions?{BOOKED}", **NO_PSU).status_code == 200
    desk.bank.clock.advance(timedelta(days=1))
    assert read(tpp, consent, path, **NO_PSU).status_code == 200


def test_with_the_psu_a_reading_is_not_counted(desk: BankDesk) -> None:
    """PSU-IP-Address says that the PSU asks: neither limited, nor counted against what is (BG IG §6.5)."""
    consent = desk.approved_consent(frequencyPerDay=1)
    tpp = desk.reader(consent)

    assert [read(tpp, consent).status_code for _ in range(3)] == [200] * 3
    assert read(tpp, consent, **NO_PSU).status_code == 200
    assert refusal(read(tpp, consent, **NO_PSU)) == (429, "ACCESS_EXCEEDED", None)
    assert read(tpp, consent).status_code == 200


def test_a_one_off_consent_reads_each_thing_once_and_ends(desk: BankDesk) -> None:
    """Even with the PSU there: used, it is expired (BG IG §4.14.2, §6)."""
    consent = desk.consent(access={"balances": [], "transactions": []}, **ONE_OFF)
    desk.decide(desk.begin("ais", consent), accounts=[account(desk)])
    tpp = desk.reader(consent)
    assert read(tpp, consent).status_code == 200
    assert read(tpp, consent, f"/{account(desk)}/balances").status_code == 200

    again = read(tpp, consent, f"/{account(desk)}/balances")
    last = read(tpp, consent, f"/{account(desk)}/transactions?{BOOKED}")

    assert refusal(again) == (429, "ACCESS_EXCEEDED", None)
    assert last.status_code == 200
    assert desk.tpp.get(f"/v1/consents/{consent}/status").json == {"consentStatus": "expired"}
    assert refusal(read(tpp, consent)) == (401, "CONSENT_EXPIRED", None)


def test_a_one_off_consent_reads_both_lists(desk: BankDesk) -> None:
    """Accounts and card accounts are two lists: the one is not used up with the other (BG IG §6.3.1.2, §6.6.1)."""
    consent = desk.consent(access={"availableAccounts": "allAccounts"}, **ONE_OFF)
    desk.decide(desk.begin("ais", consent), psu=PsuId("clara.fontaine"))
    tpp = Tpp(desk.app.test_client(), scope=f"AIS:{consent}", subject="clara.fontaine")
    accounts = read(tpp, consent)
    again = read(tpp, consent)

    cards: Any = tpp.get("/v1/card-accounts", Consent_ID=consent)

    assert (accounts.status_code, len(cards.json["cardAccounts"])) == (200, 1)
    assert (refusal(again), again.json["reason"]) == ((429, "ACCESS_EXCEEDED", None), "consent.one_access_used")  # type: ignore[index]
    assert desk.tpp.get(f"/v1/consents/{consent}/status").json == {"consentStatus": "expired"}


def test_a_one_off_consent_reads_its_list_to_the_end(desk: BankDesk) -> None:
    """Further pages and details belong to the list that used the consent up; each of them once (BG IG §6)."""
    consent = desk.consent(access={"transactions": []}, **ONE_OFF)
    desk.decide(desk.begin("ais", consent), psu=COMPANY, accounts=[account(desk, 0, COMPANY)])
    tpp = Tpp(desk.app.test_client(), scope=f"AIS:{consent}", subject=COMPANY)
    path = f"/{account(desk, 0, COMPANY)}/transactions?{BOOKED}"
    first: Any = read(tpp, consent, path).json
    following = first["transactions"]["_links"]["next"]["href"].removeprefix("/v1/accounts")
    details = first["transactions"]["booked"][0]["_links"]["transactionDetails"]["href"].removeprefix("/v1/accounts")

    assert read(tpp, consent, following).status_code == 200
    assert read(tpp, consent, details).status_code == 200
    assert refusal(read(tpp, consent, following)) == (429, "ACCESS_EXCEEDED", None)
    assert refusal(read(tpp, consent, path)) == (401, "CONSENT_EXPIRED", None)
    desk.bank.clock.advance(timedelta(days=1))
    assert refusal(read(tpp, consent, details)) == (401, "CONSENT_EXPIRED", None)


@pytest.mark.parametrize(
    ("access", "balances"),
    [({"availableAccounts": "allAccounts"}, False), ({"allPsd2": "allAccounts"}, True)],
)
def test_whole_list_consents(desk: BankDesk, access: dict[str, str], *, balances: bool) -> None:
    """Every account of the PSU is listed; balances open with a global consent only (BG IG §6.3.1.2)."""
    consent = desk.approved_consent(access=access)
    tpp = desk.reader(consent)

    listed: Any = read(tpp, consent).json

    assert [each["resourceId"] for each in listed["accounts"]] == [account(desk, 0), account(desk, 1)]
    assert (read(tpp, consent, f"/{account(desk)}/balances").status_code == 200) is balances
    assert desk.tpp.get(f"/v1/consents/{consent}").json["access"] == access  # type: ignore[index]

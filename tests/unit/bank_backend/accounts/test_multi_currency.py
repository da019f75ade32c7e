"""Multi-currency accounts: sub-accounts of one IBAN, and the whole in XXX (BG IG 1.3.8 §4.5, §6.2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.bank_accounts import book_movements, open_account, open_dollars
from tests.support.bank_core import ANNA, TENANT
from tests.unit.bank_backend.accounts.test_accounts_api import refusal

if TYPE_CHECKING:
    from typing import Any

    from bank_backend.accounts.model import Account
    from tests.support.bank_sca import BankDesk
    from tests.unit.bank_backend.accounts.conftest import Web

DAY = date(2026, 11, 17)


@pytest.fixture
def dollars(web: Web) -> Account:
    """Lend a dollar account under the IBAN of Anna's main account."""
    account = open_dollars(web.bank)
    book_movements(web.bank, account, [500_00, -20_00], day=DAY)
    web.grant(ANNA)
    return account


def accounts(web: Web) -> list[Any]:
    return list(web.get("/v1/accounts").json["accounts"])  # type: ignore[index]


def whole(web: Web) -> str:
    return str(next(one["resourceId"] for one in accounts(web) if one["currency"] == "XXX"))


def test_the_whole_stands_before_its_parts(web: Web, dollars: Account) -> None:
    """Aggregation and sub-account level (BG IG §6.5.1, example 3)."""
    listed = accounts(web)

    shared = [one["currency"] for one in listed if one["iban"] == dollars.iban]
    assert shared == ["XXX", "EUR", "USD"]
    assert len({one["resourceId"] for one in listed}) == len(listed)


def test_the_whole_has_the_balances_of_all(web: Web, dollars: Account) -> None:
    """The currency of each is that of its sub-account (BG IG §6.5.3, example 2)."""
    told: Any = web.get(f"/v1/accounts/{whole(web)}/balances").json

    booked = [one["balanceAmount"] for one in told["balances"] if one["balanceType"] == "interimBooked"]
    assert told["account"] == {"iban": dollars.iban}
    assert [one["currency"] for one in booked] == ["EUR", "USD"]
    assert booked[1]["amount"] == "480.00"


def test_the_whole_lists_the_transactions_of_all(web: Web, dollars: Account) -> None:
    """Newest day first, page by page, none twice, none left out; each leads to its sub-account's details."""
    current = web.bank.account(ANNA)
    for place in range(120):
        book_movements(web.bank, dollars, [-1], day=DAY - timedelta(days=place % 3))
        book_movements(web.bank, current, [-1], day=DAY - timedelta(days=place % 5))
    path = f"/v1/accounts/{whole(web)}/transactions?bookingStatus=booked&dateFrom=2026-11-01"
    seen: list[tuple[str, str]] = []
    backwards: list[str] = []

    while path:
        report: Any = web.get(path).json["transactions"]  # type: ignore[index]
        seen += [(one["transactionAmount"]["currency"], one["entryReference"]) for one in report["booked"]]
        assert [one["bookingDate"] for one in report["booked"]] == sorted(
            (one["bookingDate"] for one in report["booked"]), reverse=True
        )
        backwards.append(report["_links"].get("previous", {}).get("href", ""))
        path = report["_links"].get("next", {}).get("href", "")

    assert len(seen) == len(set(seen)) > 200
    first: Any = web.get(backwards[1]).json["transactions"]["booked"]  # type: ignore[index]
    assert [(one["transactionAmount"]["currency"], one["entryReference"]) for one in first] == seen[:100]
    details = web.get(first[-1]["_links"]["transactionDetails"]["href"])
    assert details.status_code == 200


@pytest.mark.usefixtures("dollars")
def test_a_delta_is_asked_of_one_currency(web: Web) -> None:
    """Each sub-account counts its entries for itself."""
    path = f"/v1/accounts/{whole(web)}/transactions?bookingStatus=booked"

    assert refusal(web.get(f"{path}&deltaList=true")) == (400, "PARAMETER_NOT_SUPPORTED", "deltaList")
    assert refusal(web.get(f"{path}&entryReferenceFrom=1")) == (400, "PARAMETER_NOT_SUPPORTED", "entryReferenceFrom")


@pytest.mark.usefixtures("dollars")
def test_there_is_no_whole_of_a_part(web: Web) -> None:
    """Who may see one currency only sees no collection, not even by its address."""
    whole_id = whole(web)
    web.access.rights = tuple(right for right in web.access.rights if right.account_id == web.bank.account(ANNA).id)

    assert [one["currency"] for one in accounts(web)] == ["EUR"]
    assert refusal(web.get(f"/v1/accounts/{whole_id}")) == (401, "CONSENT_INVALID", None)


def test_two_of_three_are_no_whole(desk: BankDesk) -> None:
    """The collection holds every sub-account: who sees some of them is shown those alone."""
    dollars = open_dollars(desk.bank)
    open_account(desk.bank, dollars, currency="GBP", name="Sterling Account")
    named = [{"iban": dollars.iban, "currency": currency} for currency in ("EUR", "USD")]

    consent = desk.approved_consent(access={"balances": named})

    listed: Any = desk.reader(consent).get("/v1/accounts", Consent_ID=consent).json
    assert [account["currency"] for account in listed["accounts"]] == ["EUR", "USD"]


def test_a_consent_by_iban_covers_all_currencies(desk: BankDesk) -> None:
    """Without a currency the collection is meant, with one its sub-account alone (BG IG §6.2)."""
    dollars = open_dollars(desk.bank)
    every = desk.approved_consent(access={"balances": [{"iban": dollars.iban}]})
    one = desk.approved_consent(
        access={"balances": [{"iban": dollars.iban, "currency": "USD"}]}, recurringIndicator=False, frequencyPerDay=1
    )

    def currencies(consent: str) -> list[str]:
        listed: Any = desk.reader(consent).get("/v1/accounts", Consent_ID=consent).json
        return [account["currency"] for account in listed["accounts"]]

    assert currencies(every) == ["XXX", "EUR", "USD"]
    assert currencies(one) == ["USD"]
    whole_id = desk.reader(every).get("/v1/accounts", Consent_ID=every).json["accounts"][0]["resourceId"]  # type: ignore[index]
    assert desk.reader(every).get(f"/v1/accounts/{whole_id}/balances", Consent_ID=every).status_code == 200
    answer = desk.reader(one).get(f"/v1/accounts/{whole_id}/balances", Consent_ID=one)
    assert answer.status_code == 404
    assert desk.bank.account(ANNA).tenant == TENANT

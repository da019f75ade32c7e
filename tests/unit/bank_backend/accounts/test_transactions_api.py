"""Transactions: periods, pages, pending, details (BG IG 1.3.8 §6.5.4, §6.5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bank_backend.accounts.model import AccessKind
from psd2.money import Money
from tests.support.bank_core import ANNA, COMPANY, JONAS, NORA, TENANT
from tests.unit.bank_backend.accounts.test_accounts_api import refusal
from tests.unit.bank_backend.ledger.orders import book, order
from tests.unit.bank_backend.ledger.test_transfer import hold, pay

if TYPE_CHECKING:
    from typing import Any

    from psd2.ids import PsuId
    from tests.unit.bank_backend.accounts.conftest import Web

YEAR = "dateFrom=2025-11-01"


def listed(web: Web, psu: PsuId, parameters: str, **headers: str) -> Any:
    """Return the body of a transaction list of the PSU's first account."""
    web.grant(psu)
    return web.get(f"/v1/accounts/{web.bank.account(psu).id}/transactions?{parameters}", **headers).json


def report(web: Web, psu: PsuId, parameters: str) -> Any:
    return listed(web, psu, parameters)["transactions"]


def test_a_list_is_newest_first_and_within_its_period(web: Web) -> None:
    """Both days of the period belong to it."""
    wide = [one["bookingDate"] for one in report(web, ANNA, "bookingStatus=booked&dateFrom=2026-09-01")["booked"]]
    newest, oldest = wide[20], wide[60]

    booked = report(web, ANNA, f"bookingStatus=booked&dateFrom={oldest}&dateTo={newest}")["booked"]

    dates = [one["bookingDate"] for one in booked]
    assert dates == [date for date in wide if oldest <= date <= newest]
    assert dates == sorted(dates, reverse=True)
    assert {oldest, newest} <= set(dates)


def test_a_movement_names_the_other_side(web: Web) -> None:
    """A debit names its creditor, a credit its debtor; amounts are signed as the account sees them."""
    booked = report(web, ANNA, "bookingStatus=booked&dateFrom=2026-10-01&dateTo=2026-10-30")["booked"]

    rent = next(one for one in booked if one["remittanceInformationUnstructured"] == "Rent October 2026")
    salary = next(one for one in booked if one["remittanceInformationUnstructured"] == "Salary October 2026")
    assert rent["transactionAmount"] == {"currency": "EUR", "amount": "-890.00"}
    assert rent["bankTransactionCode"] == "PMNT-ICDT-STDO"
    assert rent["creditorAccount"]["iban"]
    assert "debtorName" not in rent
    assert salary["transactionAmount"]["amount"] == "3184.50"
    assert salary["bankTransactionCode"] == "PMNT-RCDT-SALA"
    assert salary["debtorName"]
    assert "creditorName" not in salary


def test_a_payment_shows_on_both_statements_at_once(web: Web) -> None:
    """What Anna pays Jonas is on both lists and both balances, under the same id."""
    anna, jonas = web.bank.account(ANNA), web.bank.account(JONAS)
    transaction = pay(web.bank, anna, Money(4_200, "EUR"), iban=jonas.iban)

    hers = report(web, ANNA, "bookingStatus=booked&dateFrom=2026-11-18")["booked"][0]
    his = report(web, JONAS, "bookingStatus=booked&dateFrom=2026-11-18")["booked"][0]

    assert hers["transactionId"] == his["transactionId"] == transaction
    assert (hers["transactionAmount"]["amount"], his["transactionAmount"]["amount"]) == ("-42.00", "42.00")
    assert (hers["bankTransactionCode"], his["bankTransactionCode"]) == ("PMNT-ICDT-ESCT", "PMNT-RCDT-ESCT")
    assert his["debtorName"] == "Anna Weber"
    assert his["debtorAccount"] == {"iban": anna.iban}
    assert hers["endToEndId"] == "E2E-7"


def test_pages_cover_the_list_without_gap_or_repetition(web: Web) -> None:
    """Following `next` to the end gives every movement once, although money moves meanwhile."""
    first = report(web, COMPANY, f"bookingStatus=booked&{YEAR}")
    assert len(first["booked"]) == 100
    assert "first" not in first["_links"]
    pay(web.bank, web.bank.account(COMPANY), Money(100, "EUR"))

    numbers = [int(one["entryReference"]) for one in first["booked"]]
    page = first
    while "next" in page["_links"]:
        page = web.get(page["_links"]["next"]["href"]).json["transactions"]  # type: ignore[index]
        numbers += [int(one["entryReference"]) for one in page["booked"]]

    oldest = numbers[-1]
    assert sorted(numbers) == list(range(oldest, numbers[0] + 1))
    assert page["_links"]["first"]["href"].startswith(f"/v1/accounts/{web.bank.account(COMPANY).id}/transactions?")


def test_a_page_asks_the_consent_for_itself(web: Web) -> None:
    """The consent is told which page it is, so that pages are not counted as new readings of the list."""
    account = web.bank.account(COMPANY)
    first = report(web, COMPANY, f"bookingStatus=booked&{YEAR}")
    link = first["_links"]["next"]["href"]

    web.get(link)

    page = link.rpartition("page=")[2]
    assert web.access.asked == [(AccessKind.TRANSACTIONS, account.id, None), (AccessKind.TRANSACTIONS, account.id, page)]


@pytest.mark.parametrize("page", ["2026-11-18.999999", "9999-12-31.0", "2026-11-18", "older", "2026-11-18.-1", "1.2.3"])
def test_a_made_up_page_leads_nowhere(web: Web, page: str) -> None:
    """A place without a movement would show the newest movements without being counted as reading them."""
    web.grant(ANNA)

    answer = web.get(f"/v1/accounts/{web.bank.account(ANNA).id}/transactions?bookingStatus=booked&{YEAR}&page={page}")

    assert refusal(answer) == (400, "FORMAT_ERROR", "page")


def test_pending_movements_have_no_booking_yet(web: Web) -> None:
    """A reserved payment is pending: expected value date, no booking date, no entry reference, no balance after it."""
    pending = report(web, ANNA, "bookingStatus=pending&dateFrom=2026-11-01")

    assert "booked" not in pending
    assert len(pending["pending"]) >= 2
    for one in pending["pending"]:
        assert one["transactionAmount"]["amount"].startswith("-")
        assert one["valueDate"] > "2026-11-18"
        assert not {"bookingDate", "entryReference", "balanceAfterTransaction"} & one.keys()


def test_both_means_booked_and_pending_on_the_first_page(web: Web) -> None:
    """What is pending belongs to the list once, not to each of its pages."""
    first = report(web, COMPANY, f"bookingStatus=both&{YEAR}")
    assert {"booked", "pending"} <= first.keys()

    second = web.get(first["_links"]["next"]["href"]).json["transactions"]  # type: ignore[index]

    assert "pending" not in second


def test_a_settled_hold_is_pending_no_more(web: Web) -> None:
    """When the payment is booked, its reservation goes away."""
    account = web.bank.account(ANNA)
    held = hold(web.bank, account, Money(900, "EUR"))
    pending = report(web, ANNA, "bookingStatus=pending&dateFrom=2026-11-01")["pending"]
    assert held in {one["transactionId"] for one in pending}

    pay(web.bank, account, Money(900, "EUR"), hold=held)

    pending = report(web, ANNA, "bookingStatus=pending&dateFrom=2026-11-01")["pending"]
    assert held not in {one["transactionId"] for one in pending}


def test_balances_come_along_where_asked_and_granted(web: Web) -> None:
    """Asked with withBalance, the list adds balances; the balance after each movement takes a consent with balances."""
    account = web.bank.account(ANNA)
    path = f"/v1/accounts/{account.id}/transactions?bookingStatus=booked&{YEAR}&withBalance=true"
    granted: Any = web.get(path).json
    assert granted["balances"]
    newest = granted["transactions"]["booked"][0]["balanceAfterTransaction"]
    assert newest["balanceAmount"]["amount"] == web.bank.balances(account).interim_booked.decimal

    web.grant(ANNA, balances=False)
    withheld: Any = web.get(path).json

    assert "balances" not in withheld
    assert all("balanceAfterTransaction" not in one for one in withheld["transactions"]["booked"])


def test_a_delta_holds_what_came_after(web: Web) -> None:
    """A list from an entryReference on gives everything booked after that entry, and needs no date."""
    newest = report(web, ANNA, f"bookingStatus=booked&{YEAR}")["booked"][0]["entryReference"]
    assert report(web, ANNA, f"bookingStatus=booked&entryReferenceFrom={newest}")["booked"] == []

    transaction = pay(web.bank, web.bank.account(ANNA), Money(100, "EUR"))

    (one,) = report(web, ANNA, f"bookingStatus=booked&entryReferenceFrom={newest}")["booked"]
    assert one["transactionId"] == transaction


def test_a_new_account_has_an_empty_list(web: Web) -> None:
    """No movement is no error."""
    body = listed(web, NORA, f"bookingStatus=both&{YEAR}")

    path = f"/v1/accounts/{web.bank.account(NORA).id}"
    assert body["transactions"] == {"booked": [], "pending": [], "_links": {"account": {"href": path}}}


@pytest.mark.parametrize(
    ("parameters", "code", "path"),
    [
        ("bookingStatus=booked", "FORMAT_ERROR", "dateFrom"),
        (YEAR, "FORMAT_ERROR", "bookingStatus"),
        (f"bookingStatus=reserved&{YEAR}", "FORMAT_ERROR", "bookingStatus"),
        (f"bookingStatus=all&{YEAR}", "PARAMETER_NOT_SUPPORTED", "bookingStatus"),
        ("bookingStatus=booked&dateFrom=20260101", "FORMAT_ERROR", "dateFrom"),
        ("bookingStatus=booked&dateFrom=2026-02-30", "FORMAT_ERROR", "dateFrom"),
        (f"bookingStatus=booked&{YEAR}&dateTo=tomorrow", "FORMAT_ERROR", "dateTo"),
        (f"bookingStatus=booked&{YEAR}&{YEAR}", "FORMAT_ERROR", "dateFrom"),
        ("bookingStatus=booked&dateFrom=2026-03-02&dateTo=2026-03-01", "PERIOD_INVALID", "dateFrom"),
        ("bookingStatus=booked&dateFrom=2026-11-19", "PERIOD_INVALID", "dateFrom"),
        (f"bookingStatus=booked&{YEAR}&deltaList=maybe", "FORMAT_ERROR", "deltaList"),
        ("bookingStatus=pending&deltaList=true", "PARAMETER_NOT_CONSISTENT", "deltaList"),
        ("bookingStatus=booked&deltaList=true&entryReferenceFrom=1", "PARAMETER_NOT_CONSISTENT", "deltaList"),
        (f"bookingStatus=booked&{YEAR}&withBalance=1", "FORMAT_ERROR", "withBalance"),
        (f"bookingStatus=booked&{YEAR}&page=2", "FORMAT_ERROR", "page"),
        (f"bookingStatus=booked&{YEAR}&page=older.2026-10-01.99999", "FORMAT_ERROR", "page"),
        (f"bookingStatus=booked&{YEAR}&limit=5", "FORMAT_ERROR", "limit"),
        ("bookingStatus=booked&entryReferenceFrom=abc", "FORMAT_ERROR", "entryReferenceFrom"),
        ("bookingStatus=booked&entryReferenceFrom=99999", "FORMAT_ERROR", "entryReferenceFrom"),
        ("bookingStatus=pending&entryReferenceFrom=1", "PARAMETER_NOT_CONSISTENT", "entryReferenceFrom"),
    ],
)
def test_a_wrong_parameter_is_named(web: Web, parameters: str, code: str, path: str) -> None:
    """The refusal says which parameter, and with which code of the specification."""
    answer = web.get(f"/v1/accounts/{web.bank.account(ANNA).id}/transactions?{parameters}")

    assert refusal(answer) == (400, code, path)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/json, text/plain;q=0.9, application/xml;q=0.8", 200),
        ("*/*", 200),
        ("", 200),
        ("application/pdf", 406),
        ("application/json;q=0, text/html", 406),
    ],
)
def test_json_is_what_a_tpp_gets_first(web: Web, accept: str, status: int) -> None:
    """REQUESTED_FORMATS_INVALID where the Accept header rules JSON out (BG IG §14.11.3)."""
    answer = web.get(f"/v1/accounts/{web.bank.account(ANNA).id}/transactions?bookingStatus=booked&{YEAR}", Accept=accept)

    assert answer.status_code == status
    if status != 200:
        assert refusal(answer) == (406, "REQUESTED_FORMATS_INVALID", "Accept")


def test_details_of_a_direct_debit_hold_its_mandate(web: Web) -> None:
    """What the list leaves out, the details have (BG IG §6.5.5)."""
    booked = report(web, ANNA, "bookingStatus=booked&dateFrom=2026-10-01")["booked"]
    debit = next(one for one in booked if one["bankTransactionCode"] == "PMNT-RDDT-ESDD")
    assert "mandateId" not in debit

    details: Any = web.get(debit["_links"]["transactionDetails"]["href"]).json

    assert details["transactionsDetails"]["mandateId"].startswith("M-")
    assert details["transactionsDetails"]["creditorId"].startswith("XX98ZZZ")
    assert details["transactionsDetails"]["transactionId"] == debit["transactionId"]


def test_details_of_a_pending_movement(web: Web) -> None:
    """Pending movements have details as well."""
    pending = report(web, ANNA, "bookingStatus=pending&dateFrom=2026-11-01")["pending"][0]

    details: Any = web.get(pending["_links"]["transactionDetails"]["href"]).json

    assert details["transactionsDetails"]["transactionId"] == pending["transactionId"]


def test_a_transaction_of_another_account_is_unknown(web: Web) -> None:
    """403 for a resource in the path that is no account (BG IG §14.11.1), though the same PSU holds both accounts."""
    current, savings = web.bank.services.accounts.accounts_of(TENANT, ANNA)
    booked = report(web, ANNA, "bookingStatus=booked&dateFrom=2026-10-01")["booked"]
    groceries = next(one for one in booked if one["bankTransactionCode"] == "PMNT-CCRD-POSD")
    assert web.get(f"/v1/accounts/{current.id}/transactions/{groceries['transactionId']}").status_code == 200

    answer = web.get(f"/v1/accounts/{savings.id}/transactions/{groceries['transactionId']}")

    assert refusal(answer) == (403, "RESOURCE_UNKNOWN", "transactionId")


@pytest.mark.parametrize(
    ("issued", "received"),
    [
        ("PMNT-ICDT-XBCT", "PMNT-RCDT-XBCT"),
        ("PMNT-ICDT-PRCT", "PMNT-RCDT-PRCT"),
        ("PMNT-IRCT-ESCT", "PMNT-RRCT-ESCT"),
    ],
)
def test_the_payee_sees_what_kind_of_transfer_it_received(web: Web, issued: str, received: str) -> None:
    """The same movement under the received family (ISO 20022 bank transaction codes)."""
    anna, jonas = web.bank.account(ANNA), web.bank.account(JONAS)
    book(web.bank, order(anna, Money(4_200, "EUR"), creditor_iban=jonas.iban, code=issued))

    assert report(web, JONAS, "bookingStatus=booked&dateFrom=2026-11-18")["booked"][0]["bankTransactionCode"] == received

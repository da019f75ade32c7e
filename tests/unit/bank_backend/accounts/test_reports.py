"""Pages both ways, deltas, statements in camt and MT94x, downloads (BG IG 1.3.8 §6.5.4)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from bank_backend.accounts import downloads, reports
from bank_backend.accounts.swift import mt940
from bank_backend.ledger.particulars import Particulars
from psd2.money import Money
from tests.support.bank_accounts import book_movements
from tests.support.bank_core import ANNA, NORA, TENANT
from tests.support.camt_structure import require_structure
from tests.unit.bank_backend.accounts.test_accounts_api import refusal
from tests.unit.bank_backend.ledger.test_transfer import hold, pay

if TYPE_CHECKING:
    from typing import Any

    from tests.unit.bank_backend.accounts.conftest import Web

DAY = date(2026, 11, 17)
SINCE = "dateFrom=2026-11-01"
# Everything that character set X of SWIFT has.
SWIFT_LINE = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,65}")


def path(web: Web, parameters: str) -> str:
    return f"/v1/accounts/{web.bank.account(ANNA).id}/transactions?{parameters}"


def pages(web: Web, parameters: str) -> list[Any]:
    """Return every page of a list, by its links."""
    found, href = [], path(web, parameters)
    while href:
        body: Any = web.get(href).json
        found.append(body["transactions"])
        href = body["transactions"]["_links"].get("next", {}).get("href", "")
    return found


def test_pages_lead_back_and_to_the_end(web: Web) -> None:
    """`previous` gives the page before as it was, `last` the oldest movements (BG IG §14.23)."""
    parameters = "bookingStatus=booked&dateFrom=2025-11-01"
    every = pages(web, parameters)
    first, second, final = every[0], every[1], every[-1]

    back: Any = web.get(second["_links"]["previous"]["href"]).json
    last: Any = web.get(first["_links"]["last"]["href"]).json

    assert back["transactions"]["booked"] == first["booked"]
    assert "previous" not in first["_links"]
    assert last["transactions"]["booked"][-1] == final["booked"][-1]
    assert not {"next", "last"} & last["transactions"]["_links"].keys()


def test_a_page_of_another_list_is_none_of_this(web: Web) -> None:
    """A place outside of the period would tell what the period leaves out."""
    outside = pages(web, "bookingStatus=booked&dateFrom=2025-11-01")[0]["_links"]["next"]["href"].rpartition("page=")[2]

    for parameters in ("dateFrom=2026-01-01&dateTo=2026-01-31", "dateFrom=2026-11-17"):
        answer = web.get(path(web, f"bookingStatus=booked&{parameters}&page={outside}"))
        assert refusal(answer) == (400, "FORMAT_ERROR", "page")


def test_ten_thousand_movements_are_seen_once_each_while_more_are_booked(web: Web) -> None:
    """Keyset pages: what is booked meanwhile shifts none of them."""
    account = web.bank.account(ANNA)
    for day in range(10):
        book_movements(web.bank, account, [-1] * 1_000, day=DAY - timedelta(days=10 - day))
    href, seen, booked_meanwhile = path(web, f"bookingStatus=booked&{SINCE}"), [], 0

    while href:
        body: Any = web.get(href).json
        seen += [one["transactionId"] for one in body["transactions"]["booked"]]
        href = body["transactions"]["_links"].get("next", {}).get("href", "")
        book_movements(web.bank, account, [-1], day=date(2026, 11, 18))
        booked_meanwhile += 1

    assert len(seen) == len(set(seen)) >= 10_000
    assert booked_meanwhile >= 100


def test_a_delta_tells_what_has_not_been_told(web: Web) -> None:
    """`deltaList`: everything after the last report of this account to this TPP."""
    web.get(path(web, f"bookingStatus=booked&{SINCE}"))
    assert web.get(path(web, "bookingStatus=booked&deltaList=true")).json["transactions"]["booked"] == []  # type: ignore[index]
    fresh = book_movements(web.bank, web.bank.account(ANNA), [-5, -6], day=date(2026, 11, 18))

    told: Any = web.get(path(web, "bookingStatus=both&deltaList=true")).json
    again: Any = web.get(path(web, "bookingStatus=booked&deltaList=true")).json

    assert [one["transactionId"] for one in told["transactions"]["booked"]] == fresh[::-1]
    assert again["transactions"]["booked"] == []


def test_a_statement_tells_as_a_list_does(web: Web) -> None:
    """What stood in a camt.053 is no news in the next; what a download holds is told when it is fetched."""
    account = web.bank.account(ANNA)
    whole = path(web, f"bookingStatus=booked&{SINCE}")
    delta = path(web, "bookingStatus=booked&deltaList=true")

    def news() -> list[int]:
        return require_structure(etree.fromstring(web.get(delta, Accept="application/xml").data), "053").entries

    web.get(whole, Accept="text/plain")
    assert news() == []
    book_movements(web.bank, account, [-5, -6], day=date(2026, 11, 18))
    assert (news(), news()) == ([-5, -6], [])


@pytest.mark.usefixtures("small")
def test_a_download_tells_when_it_is_fetched(web: Web) -> None:
    """Not before: it may never be."""
    delta = path(web, "bookingStatus=booked&deltaList=true")
    link = download_link(web)
    before: Any = web.get(delta, Accept="application/xml").json

    web.get(link)

    assert "download" in before["_links"]
    assert require_structure(etree.fromstring(web.get(delta, Accept="application/xml").data), "053").entries == []


def test_a_report_of_old_days_tells_nothing_of_new_ones(web: Web) -> None:
    """So it leaves the delta where it was."""
    web.get(path(web, "bookingStatus=booked&dateFrom=2026-10-01&dateTo=2026-10-31"))

    assert web.get(path(web, "bookingStatus=booked&deltaList=true")).json["transactions"]["booked"]  # type: ignore[index]


def test_a_delta_of_many_has_pages(web: Web) -> None:
    """Its links name the entry it begins after, so that reading on asks for nothing twice."""
    web.get(path(web, f"bookingStatus=booked&{SINCE}"))
    fresh = book_movements(web.bank, web.bank.account(ANNA), [-5] * 150, day=date(2026, 11, 18))

    found = [one["transactionId"] for page in pages(web, "bookingStatus=booked&deltaList=true") for one in page["booked"]]

    assert found == fresh[::-1]


def test_standing_orders_ignore_everything_else(web: Web) -> None:
    """BG IG §6.5.4: period, delta and balance have no effect."""
    body: Any = web.get(path(web, "bookingStatus=information&dateFrom=2030-01-01&deltaList=true&withBalance=true")).json

    assert set(body["transactions"]) == {"information", "_links"}


def test_details_tell_what_is_known(web: Web) -> None:
    """Purpose, agents, ultimate parties, structured reference, the bank's own code (BG IG §14.24)."""
    said = Particulars(
        creditor_agent="COBADEFFXXX",
        ultimate_creditor="Landlord",
        purpose="RENT",
        structured_reference="RF18539007547034",
        additional_information="Flat 12",
    )
    (one,) = book_movements(web.bank, web.bank.account(ANNA), [-89_000], day=DAY, code="PMNT-ICDT-ESCT", particulars=said)

    details: Any = web.get(f"/v1/accounts/{web.bank.account(ANNA).id}/transactions/{one}").json["transactionsDetails"]  # type: ignore[index]

    assert details["creditorAgent"] == "COBADEFFXXX"
    assert details["ultimateCreditor"] == "Landlord"
    assert details["purposeCode"] == "RENT"
    assert details["remittanceInformationStructured"] == "RF18539007547034"
    assert details["additionalInformation"] == "Flat 12"
    assert details["proprietaryBankTransactionCode"] == "NTRF"


def test_camt_053_balances_what_it_lists(web: Web) -> None:
    """Opening balance, entries and closing balance add up; its structure is the message's."""
    answer = web.get(path(web, f"bookingStatus=booked&{SINCE}"), Accept="application/xml")

    root = etree.fromstring(answer.data)
    statement = require_structure(root, "053")
    assert answer.mimetype == "application/xml"
    opening, closing = statement.balances["OPBD"], statement.balances["CLBD"]
    assert opening + sum(statement.entries) == closing
    listed: Any = web.get(path(web, f"bookingStatus=booked&{SINCE}")).json
    assert len(statement.entries) == len(listed["transactions"]["booked"])
    assert statement.statuses == {"BOOK"}


def test_camt_052_tells_what_is_pending_too(web: Web) -> None:
    """As does application/xml for whoever asks for both."""
    hold(web.bank, web.bank.account(ANNA), Money(900, "EUR"))

    for accept in ("application/xml", "application/vnd.BerlinGroup.camt.052+xml"):
        answer = web.get(path(web, f"bookingStatus=both&{SINCE}"), Accept=accept)
        assert require_structure(etree.fromstring(answer.data), "052").statuses == {"BOOK", "PDNG"}


def test_camt_053_can_not_tell_what_is_pending(web: Web) -> None:
    """406, with the formats that can (BG IG §14.11.3)."""
    answer = web.get(path(web, f"bookingStatus=both&{SINCE}"), Accept="application/vnd.BerlinGroup.camt.053+xml")

    assert refusal(answer) == (406, "REQUESTED_FORMATS_INVALID", "Accept")


def test_mt940_keeps_to_swifts_lines_and_letters(web: Web) -> None:
    """Character set X, 65 characters a line, no line that looks like a field; balances add up."""
    text = "Müller & Søn: ¡Grüße! -:- " * 8
    book_movements(web.bank, web.bank.account(ANNA), [-4_200], day=DAY, remittance=text[:140], code="PMNT-ICDT-ESCT")

    answer = web.get(path(web, f"bookingStatus=booked&{SINCE}"), Accept="text/plain")

    lines = answer.text.split("\r\n")
    assert lines[-2:] == ["-", ""]
    assert all(SWIFT_LINE.fullmatch(line) for line in lines[:-1])
    assert "Mueller + Son" in answer.text.replace("\r\n", "")
    tags = [match[1] for line in lines if (match := re.match(r":([0-9]{2}[A-Z]?):", line))]
    assert tags[:3] == ["20", "25", "28C"]
    assert set(tags[4:-1]) == {"61", "86"}
    assert all(line[0] not in ":-" for line in lines[:-2] if not re.match(r":[0-9]{2}[A-Z]?:", line))
    assert _closing(lines) == _opening(lines) + sum(map(_entry, (line for line in lines if line.startswith(":61:"))))


def _minor(text: str) -> int:
    return int(text.replace(",", ""))


def _opening(lines: list[str]) -> int:
    return _balance(next(line for line in lines if line.startswith(":60F:")))


def _closing(lines: list[str]) -> int:
    return _balance(next(line for line in lines if line.startswith(":62F:")))


def _balance(line: str) -> int:
    mark, amount = line[5], line[15:]
    return _minor(amount) * (-1 if mark == "D" else 1)


def _entry(line: str) -> int:
    match = re.match(r":61:[0-9]{10}([CD])([0-9]+,[0-9]*)N", line)
    assert match is not None, line
    return _minor(match[2]) * (-1 if match[1] == "D" else 1)


def test_mt942_tells_what_is_pending(web: Web) -> None:
    """Interim report: floor limit, time, sums of debits and credits."""
    hold(web.bank, web.bank.account(ANNA), Money(900, "EUR"))

    answer = web.get(path(web, "bookingStatus=pending&dateFrom=2026-11-18"), Accept="text/plain")

    assert ":34F:EUR0,00" in answer.text
    assert ":13D:2611181026+0000" in answer.text
    assert re.search(r":90D:[0-9]+EUR[0-9]+,[0-9]{2}", answer.text)


def test_an_empty_statement_is_one_too(web: Web) -> None:
    """No movement, and a balance of nothing."""
    web.grant(NORA)
    parameters = f"/v1/accounts/{web.bank.account(NORA).id}/transactions?bookingStatus=booked&{SINCE}"

    assert ":60F:C261101EUR0,00" in web.get(parameters, Accept="text/plain").text
    assert require_structure(etree.fromstring(web.get(parameters, Accept="application/xml").data), "053").entries == []
    assert mt940([]) == b""


def test_a_statement_of_what_is_new_begins_where_the_last_one_ended(web: Web) -> None:
    """Whoever asks what is new names no day: the book stands where it stood, also where nothing is new."""
    account = web.bank.account(ANNA)
    listed: Any = web.get(path(web, f"bookingStatus=booked&{SINCE}")).json
    newest = listed["transactions"]["booked"][0]
    book = _minor(newest["balanceAfterTransaction"]["balanceAmount"]["amount"].replace(".", ","))
    asked = path(web, f"bookingStatus=booked&entryReferenceFrom={newest['entryReference']}")

    unchanged = require_structure(etree.fromstring(web.get(asked, Accept="application/xml").data), "053")
    text = web.get(asked, Accept="text/plain").text
    book_movements(web.bank, account, [-250], day=date(2026, 11, 18))
    changed = require_structure(etree.fromstring(web.get(asked, Accept="application/xml").data), "053")

    assert unchanged.balances == {"OPBD": book, "CLBD": book}
    lines = text.split("\r\n")
    assert _opening(lines) == _closing(lines) == book
    assert ":60F:C261118EUR" in text
    assert changed.balances == {"OPBD": book, "CLBD": book - 250}


def test_a_report_of_what_is_pending_tells_the_book_as_it_is(web: Web) -> None:
    """What was booked in the period is left out of the report, not out of the balance."""
    told: Any = web.get(f"/v1/accounts/{web.bank.account(ANNA).id}/balances").json
    booked = {one["balanceType"]: one["balanceAmount"]["amount"] for one in told["balances"]}["interimBooked"]

    answer = web.get(path(web, "bookingStatus=pending&dateFrom=2026-10-01"), Accept="application/xml")

    balances = require_structure(etree.fromstring(answer.data), "052").balances
    assert balances["ITBD"] == _minor(booked.replace(".", ",")) != balances["OPBD"]


def test_no_format_tells_balances_that_the_consent_keeps_back(web: Web) -> None:
    """Without a right to balances: the interim formats, which do without them; a camt.053 can't."""
    web.grant(ANNA, balances=False)
    asked = path(web, f"bookingStatus=booked&{SINCE}")

    report = require_structure(etree.fromstring(web.get(asked, Accept="application/xml").data), "052")
    text = web.get(asked, Accept="text/plain").text
    refused = web.get(asked, Accept="application/vnd.BerlinGroup.camt.053+xml")

    assert report.entries
    assert report.balances == {}
    assert ":61:" in text
    assert not re.search(r"^:6[024]", text.replace(":61:", ""), re.MULTILINE)
    assert refusal(refused) == (401, "CONSENT_INVALID", None)


def test_a_payee_without_iban_is_told_by_its_bban(web: Web) -> None:
    """In JSON as `bban`, in camt as `Othr`: a national number is no IBAN."""
    pay(web.bank, web.bank.account(ANNA), Money(100, "EUR"), iban="000123456789")
    asked = path(web, "bookingStatus=booked&dateFrom=2026-11-18")

    listed: Any = web.get(asked).json
    document = web.get(asked, Accept="application/xml")

    assert listed["transactions"]["booked"][0]["creditorAccount"] == {"bban": "000123456789"}
    assert require_structure(etree.fromstring(document.data), "053").entries
    assert "<CdtrAcct><Id><Othr><Id>000123456789</Id></Othr></Id></CdtrAcct>" in document.text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten movements be many."""
    monkeypatch.setattr(downloads, "MOST_AT_ONCE", 10)
    monkeypatch.setattr(reports, "MOST_AT_ONCE", 10)


def download_link(web: Web) -> str:
    answer: Any = web.get(path(web, f"bookingStatus=booked&{SINCE}"), Accept="application/xml").json
    return str(answer["_links"]["download"]["href"])


@pytest.mark.usefixtures("small")
def test_a_large_statement_is_fetched_by_a_link(web: Web) -> None:
    """It holds what was booked when it was asked for (BG IG §6.5.4, example 2)."""
    link = download_link(web)
    book_movements(web.bank, web.bank.account(ANNA), [-1], day=date(2026, 11, 18))

    answer = web.get(link)

    assert answer.mimetype == "application/xml"
    statement = require_structure(etree.fromstring(answer.data), "053")
    assert statement.balances["OPBD"] + sum(statement.entries) == statement.balances["CLBD"]
    assert -1 not in statement.entries


@pytest.mark.usefixtures("small")
def test_a_download_is_not_anybodys(web: Web) -> None:
    """Not another account's, not made up, not for ever, not without the consent's transactions."""
    link = download_link(web)
    other = web.bank.services.accounts.accounts_of(TENANT, ANNA)[1]
    foreign = link.replace(web.bank.account(ANNA).id, other.id)

    assert refusal(web.get(foreign)) == (403, "RESOURCE_UNKNOWN", "downloadId")
    assert refusal(web.get(f"{link[:-4]}0000")) == (403, "RESOURCE_UNKNOWN", "downloadId")
    assert [web.get(link).status_code for _ in range(4)] == [200, 200, 200, 429]
    web.grant(ANNA, transactions=False)
    assert refusal(web.get(link)) == (401, "CONSENT_INVALID", None)


@pytest.mark.usefixtures("small")
def test_downloads_leave_room_for_others(web: Web) -> None:
    """Where others keep the processors busy one more is told to come back, and has not used the link up."""
    link = download_link(web)
    room = web.bank.services.heavy_work._room
    while room.acquire(blocking=False):
        pass

    assert refusal(web.get(link)) == (503, "INTERNAL_SERVER_ERROR", None)
    assert web.get(path(web, f"bookingStatus=booked&{SINCE}")).status_code == 200
    room.release()
    assert [web.get(link).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.usefixtures("small")
def test_a_download_expires(web: Web) -> None:
    """A quarter of an hour by the tenant's clock."""
    link = download_link(web)
    web.access.now += timedelta(minutes=15)

    assert refusal(web.get(link)) == (403, "RESOURCE_EXPIRED", "downloadId")

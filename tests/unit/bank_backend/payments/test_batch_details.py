"""A batch on the payer's statement: one entry, and the payments that it is made of (XS2A 1.3.11 `entryDetails`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from lxml import etree

from bank_backend.data.annexes import read_particulars
from bank_backend.ledger.batch_parts import BatchPart
from bank_backend.ledger.exchange import RATES
from bank_backend.ledger.particulars import Particulars, particulars_as_json
from tests.support.bank_core import ANNA, JONAS
from tests.support.bank_payments import BULK, CROSS_BORDER, PAYEES, SEPA, TODAY, entry, pain
from tests.support.camt_structure import require_structure

if TYPE_CHECKING:
    from tests.support.bank_payments import Till

_CAMT = "application/vnd.BerlinGroup.camt.053+xml"


def statement(till: Till, *, accept: str = "application/json") -> Any:
    """Ask for what was booked on Anna's account today."""
    consent, account = till.desk.approved_consent(), till.desk.bank.account(ANNA)
    address = f"/v1/accounts/{account.id}/transactions?bookingStatus=booked&dateFrom={TODAY}"
    return till.desk.reader(consent).get(address, Accept=accept, Consent_ID=consent)


def booked(till: Till) -> list[dict[str, Any]]:
    return list(statement(till).json["transactions"]["booked"])


def details(till: Till, transaction: str) -> dict[str, Any]:
    consent, account = till.desk.approved_consent(), till.desk.bank.account(ANNA)
    address = f"/v1/accounts/{account.id}/transactions/{transaction}"
    return dict(till.desk.reader(consent).get(address, Consent_ID=consent).json["transactionsDetails"])  # type: ignore[index]


def detail(amount: str, iban: str) -> dict[str, Any]:
    return {
        "endToEndId": "NOTPROVIDED",
        "transactionAmount": {"currency": "EUR", "amount": amount},
        "creditorName": "Buchhandlung am Markt",
        "creditorAccount": {"iban": iban},
        "remittanceInformationUnstructured": "Rechnung 2026-4711",
    }


def test_a_batch_is_one_entry_that_says_what_it_is_made_of(till: Till) -> None:
    """In the list and in its details; the payments sum up to the entry, a payee at this bank is named as any other."""
    before, jonas = len(booked(till)), till.desk.iban(JONAS)
    till.approve(till.bulk(entry("10.00"), entry("20.50", iban=jonas), batchBookingPreferred=True))

    listed = booked(till)

    assert len(listed) == before + 1
    batch = listed[0]
    assert (batch["batchIndicator"], batch["batchNumberOfTransactions"]) == (True, 2)
    assert batch["transactionAmount"]["amount"] == "-30.50"
    first, second = (one | {"endToEndId": "NOTPROVIDED"} for one in batch["entryDetails"])
    assert first == detail("-10.00", first["creditorAccount"]["iban"])
    assert second == detail("-20.50", jonas)
    assert details(till, batch["transactionId"])["entryDetails"] == batch["entryDetails"]


def test_without_the_wish_each_payment_is_an_entry(till: Till) -> None:
    """None of them is a batch."""
    before = len(booked(till))
    till.approve(till.bulk(entry("1.00"), entry("2.00"), batchBookingPreferred=False))

    listed = booked(till)

    assert len(listed) == before + 2
    assert not any({"batchIndicator", "entryDetails"} & set(one) for one in listed)


def test_what_was_refused_is_no_part_of_the_batch(till: Till) -> None:
    """The entry tells of the payments that were made."""
    till.set_account(JONAS, status="blocked")
    path = till.bulk(entry("1.00"), entry("2.00", iban=till.desk.iban(JONAS)), entry("3.00"), batchBookingPreferred=True)
    till.approve(path)

    (batch,) = [one for one in booked(till) if one.get("batchIndicator")]

    assert [one["transactionAmount"]["amount"] for one in batch["entryDetails"]] == ["-1.00", "-3.00"]


def test_details_tell_of_exchange_purpose_and_reference(till: Till) -> None:
    """In the account's currency, at the rate that each was exchanged at; charges are an entry of their own."""
    dollars = entry("50.00", currency="USD", iban=PAYEES[1])
    till.approve(till.bulk(dollars, entry("50.00", iban=PAYEES[1]), product=CROSS_BORDER, batchBookingPreferred=True))
    (batch,) = [one for one in booked(till) if one.get("batchIndicator")]
    exchanged, plain = batch["entryDetails"]
    assert (exchanged["currencyExchange"][0]["targetCurrency"], "currencyExchange" in plain) == ("USD", False)
    assert exchanged["transactionAmount"]["currency"] == "EUR"

    told = "<Purp><Cd>SALA</Cd></Purp><RmtInf><Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf>"
    message = pain(till.iban, "1.00", "2.00").replace("</PmtMtd>", "</PmtMtd><BtchBookg>true</BtchBookg>")
    message = message.replace("<RmtInf><Ustrd>Rechnung 2026-4711</Ustrd></RmtInf>", told, 1)
    till.approve(till.send_pain(BULK, message, SEPA).headers["Location"])

    salary = booked(till)[0]["entryDetails"][0]
    assert (salary["purposeCode"], salary["endToEndId"]) == ("SALA", "E2E-0")
    assert salary["creditorAgent"] == "PBNKDEFFXXX"
    assert salary["remittanceInformationStructured"] == {"reference": "RF18539007547034"}


def test_a_camt_053_has_the_transactions_of_the_one_entry(till: Till) -> None:
    """ISO 20022: Btch counts and sums them, each TxDtls has its own amount, payee and reference."""
    till.approve(till.bulk(entry("1.00"), entry("2.00", iban=PAYEES[1]), batchBookingPreferred=True))

    root = etree.fromstring(statement(till, accept=_CAMT).data)

    assert require_structure(root, "053").entries[-1] == -300
    found = {"n": etree.QName(root).namespace}
    (batch,) = root.findall(".//n:NtryDtls[n:Btch]", found)
    assert batch.findtext("n:Btch/n:NbOfTxs", namespaces=found) == "2"
    assert [one.text for one in batch.findall("n:TxDtls/n:Amt", found)] == ["1.00", "2.00"]
    ibans = [one.text for one in batch.findall("n:TxDtls/n:RltdPties/n:CdtrAcct/n:Id/n:IBAN", found)]
    assert ibans[1] == PAYEES[1]


def test_what_a_batch_says_of_itself_survives_export_and_import() -> None:
    """As the books keep it, so it is read from the column of an export: nothing is lost, the rate included."""
    rate = RATES.exchange(source="EUR", target="USD", day=TODAY)
    part = BatchPart(amount_minor=-100, creditor_name="Ada", creditor_iban=PAYEES[0], end_to_end_id="E-1", exchange=rate)
    said = Particulars(batch_size=2, batch=(part, replace(part, exchange=None, purpose="SALA", structured_reference="R-1")))

    assert read_particulars(orjson.dumps(particulars_as_json(said)).decode()) == said

"""Reading JSON payments: each body is wrong in exactly one way, and the refusal names where (BG IG 1.3.8 §11)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.errors import BankError
from bank_backend.payments.forms import instruction_as_json, instruction_from_json
from bank_backend.payments.products import PRODUCTS
from bank_backend.payments.rules import require_rules
from bank_backend.payments.wire import JsonPlaces, read_instruction
from bank_backend.personalities.model import PaymentService
from psd2.money import Money
from tests.support.bank_payments import BULK, CROSS_BORDER, INSTANT, PERIODIC, SATURDAY, SEPA, SINGLE, TARGET_2, entry
from tests.support.bank_sca import ELSEWHERE, payment_body

if TYPE_CHECKING:
    from bank_backend.payments.instruction import Instruction

DEBTOR = "DE89370400440532013000"
EUR = "EUR"
NOW = datetime(2026, 11, 18, 10, 26, tzinfo=UTC)


def read(body: dict[str, Any], service: str = SINGLE, product: str = SEPA) -> Instruction:
    given = {name: value for name, value in body.items() if value is not ...}
    which = PRODUCTS[product]
    instruction = read_instruction(json.dumps(given).encode(), service=PaymentService(service), product=which)
    require_rules(instruction, which.scheme, JsonPlaces(PaymentService(service)), NOW)
    return instruction


def parse(product: str = SEPA, **changes: Any) -> Instruction:
    return read(payment_body(DEBTOR, **changes), product=product)


def periodic(**changes: Any) -> Instruction:
    body = payment_body(DEBTOR) | {"startDate": "2026-12-01", "frequency": "Monthly"} | changes
    return read(body, PERIODIC)


def bulk(*entries: dict[str, Any], **changes: Any) -> Instruction:
    return read({"debtorAccount": {"iban": DEBTOR}, "payments": list(entries) or [entry()]} | changes, BULK)


def refused(reading: Any) -> tuple[str, str | None]:
    with pytest.raises(BankError) as error:
        reading()
    return error.value.code, error.value.path


def amount(text: Any, currency: str = EUR) -> dict[str, Any]:
    return {"instructedAmount": {"currency": currency, "amount": text}}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"instructedAmount": ...}, "instructedAmount"),
        (amount("12.345"), "instructedAmount.amount"),
        (amount("12,50"), "instructedAmount.amount"),
        (amount("1e3"), "instructedAmount.amount"),
        (amount("0"), "instructedAmount.amount"),
        (amount("-1.00"), "instructedAmount.amount"),
        (amount("1000000000.00"), "instructedAmount.amount"),
        (amount(12.5), "instructedAmount.amount"),
        (amount("12.50", "USD"), "instructedAmount.currency"),
        (amount("12.50", "euro"), "instructedAmount.currency"),
        ({"debtorAccount": ...}, "debtorAccount"),
        ({"debtorAccount": {"iban": "DE89370400440532013001"}}, "debtorAccount.iban"),
        ({"debtorAccount": {"iban": DEBTOR, "currency": "USD"}}, "debtorAccount.currency"),
        ({"creditorAccount": {"iban": "nonsense"}}, "creditorAccount.iban"),
        ({"creditorAccount": {"iban": DEBTOR}}, "creditorAccount.iban"),
        ({"creditorAccount": {"iban": ELSEWHERE, "currency": "USD"}}, "creditorAccount.currency"),
        ({"creditorAccount": {"bban": "1234567"}}, "creditorAccount.iban"),
        ({"creditorName": ...}, "creditorName"),
        ({"creditorName": ""}, "creditorName"),
        ({"creditorName": "x" * 71}, "creditorName"),
        ({"creditorName": "two\nlines"}, "creditorName"),
        ({"creditorName": "Shop \N{RIGHT-TO-LEFT OVERRIDE}02 EBAN"}, "creditorName"),
        ({"creditorName": "two\N{LINE SEPARATOR}lines"}, "creditorName"),
        ({"remittanceInformationUnstructured": "in\N{ZERO WIDTH SPACE}visible"}, "remittanceInformationUnstructured"),
        ({"remittanceInformationUnstructured": "x" * 141}, "remittanceInformationUnstructured"),
        ({"endToEndIdentification": "x" * 36}, "endToEndIdentification"),
        ({"creditorAgent": "nobic"}, "creditorAgent"),
        ({"creditorAddress": {"townName": "Berlin"}}, "creditorAddress.country"),
        ({"chargeBearer": "SLEV"}, "chargeBearer"),
        ({"requestedExecutionDate": "soon"}, "requestedExecutionDate"),
        ({"requestedExecutionTime": "2026-12-01T10:00:00Z"}, "requestedExecutionTime"),
        ({"startDate": "2026-12-01"}, "startDate"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], path: str) -> None:
    """What would be ignored is refused like what would be rounded."""
    assert refused(lambda: parse(**changes)) == ("FORMAT_ERROR", path)


@pytest.mark.parametrize(
    ("product", "changes", "path"),
    [
        (INSTANT, {"chargeBearer": "SLEV"}, "chargeBearer"),
        (TARGET_2, {"chargeBearer": "SLEV"}, "chargeBearer"),
        (TARGET_2, {"chargeBearer": "NONE"}, "chargeBearer"),
        (TARGET_2, amount("5.00", "GBP"), "instructedAmount.currency"),
        (CROSS_BORDER, {"endToEndIdentification": "E2E-1"}, "endToEndIdentification"),
        (CROSS_BORDER, {"creditorAccount": {"iban": ELSEWHERE, "bban": "123"}}, "creditorAccount"),
        (CROSS_BORDER, {"creditorAccount": {}}, "creditorAccount"),
        (CROSS_BORDER, {"creditorAccount": {"bban": "12 34"}}, "creditorAccount.bban"),
        (CROSS_BORDER, {"creditorAccount": {"bban": ELSEWHERE}}, "creditorAccount"),
        (CROSS_BORDER, {"creditorAccount": {"bban": "1234567"}}, "creditorAgent"),
        (CROSS_BORDER, {"creditorAccount": {"bban": "1234567"}, "creditorAgent": "CHASUS33"}, "creditorAddress"),
    ],
)
def test_each_product_has_its_own_fields(product: str, changes: dict[str, Any], path: str) -> None:
    """BG IG §11.1: mandatory, optional, conditional and not used."""
    assert refused(lambda: parse(product, **changes)) == ("FORMAT_ERROR", path)


def test_a_payment_across_borders_goes_to_an_account_without_iban() -> None:
    """Named by its bank and the payee's address, in any currency; the charges may be borne by either side."""
    there = {"creditorAccount": {"bban": "021000021"}, "creditorAgent": "CHASUS33", "creditorAddress": {"country": "US"}}

    instruction = parse(CROSS_BORDER, **there, **amount("5.00", "USD"), chargeBearer="DEBT")

    (transfer,) = instruction.transfers
    assert (transfer.creditor.number, transfer.amount, transfer.charge_bearer) == ("021000021", Money(500, "USD"), "DEBT")


@pytest.mark.parametrize(
    ("product", "day"),
    [(SEPA, "2026-11-17"), (SEPA, "2027-11-19"), (TARGET_2, SATURDAY.isoformat()), (TARGET_2, "2026-12-25")],
)
def test_a_day_on_which_nothing_can_be_executed_is_refused(product: str, day: str) -> None:
    """Past, more than a year ahead, or one on which TARGET is closed."""
    assert refused(lambda: parse(product, requestedExecutionDate=day)) == ("EXECUTION_DATE_INVALID", "requestedExecutionDate")


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"startDate": "2026-11-17"}, "EXECUTION_DATE_INVALID", "startDate"),
        ({"startDate": "2028-01-01"}, "EXECUTION_DATE_INVALID", "startDate"),
        ({"startDate": "1.12.2026"}, "FORMAT_ERROR", "startDate"),
        ({"startDate": ...}, "FORMAT_ERROR", "startDate"),
        ({"frequency": ...}, "FORMAT_ERROR", "frequency"),
        ({"frequency": "monthly"}, "FORMAT_ERROR", "frequency"),
        ({"endDate": "2026-11-30"}, "PERIOD_INVALID", "endDate"),
        ({"endDate": "2226-11-30"}, "PERIOD_INVALID", "endDate"),
        ({"endDate": "2026-12-10", "dayOfExecution": "15"}, "PERIOD_INVALID", "endDate"),
        ({"executionRule": "latest"}, "FORMAT_ERROR", "executionRule"),
        ({"dayOfExecution": "32"}, "FORMAT_ERROR", "dayOfExecution"),
        ({"dayOfExecution": "0"}, "FORMAT_ERROR", "dayOfExecution"),
        ({"dayOfExecution": 15}, "FORMAT_ERROR", "dayOfExecution"),
        ({"dayOfExecution": "3", "frequency": "Weekly"}, "FORMAT_ERROR", "dayOfExecution"),
        ({"monthsOfExecution": ["1"]}, "FORMAT_ERROR", "monthsOfExecution"),
        ({"frequency": "MonthlyVariable"}, "FORMAT_ERROR", "monthsOfExecution"),
        ({"frequency": "MonthlyVariable", "monthsOfExecution": ["1", "01"]}, "FORMAT_ERROR", "monthsOfExecution"),
        ({"frequency": "MonthlyVariable", "monthsOfExecution": ["13"]}, "FORMAT_ERROR", "monthsOfExecution[0]"),
        ({"requestedExecutionDate": "2026-12-01"}, "FORMAT_ERROR", "requestedExecutionDate"),
    ],
)
def test_each_fault_of_a_standing_order_is_named(changes: dict[str, Any], code: str, path: str) -> None:
    """BG IG §5.3.4.1, §14.30, §14.32."""
    assert refused(lambda: periodic(**changes)) == (code, path)


def test_the_first_day_may_be_written_as_the_guidelines_write_it() -> None:
    """Their example has "01", the YAML "1"."""
    rules = [periodic(dayOfExecution=day).rule for day in ("01", "1")]

    assert rules[0] == rules[1]


@pytest.mark.parametrize(
    ("entries", "changes", "code", "path"),
    [
        ([entry(), entry(debtorAccount={"iban": DEBTOR})], {}, "FORMAT_ERROR", "payments[1].debtorAccount"),
        ([entry(requestedExecutionDate="2026-12-01")], {}, "FORMAT_ERROR", "payments[0].requestedExecutionDate"),
        ([entry(), entry("1.234")], {}, "FORMAT_ERROR", "payments[1].instructedAmount.amount"),
        ([entry(), entry("0.00")], {}, "FORMAT_ERROR", "payments[1].instructedAmount.amount"),
        ([entry(), entry(currency="USD")], {}, "FORMAT_ERROR", "payments[1].instructedAmount.currency"),
        ([entry(), entry(iban=DEBTOR)], {}, "FORMAT_ERROR", "payments[1].creditorAccount.iban"),
        ([entry()] * 201, {}, "FORMAT_ERROR", "payments"),
        ([], {"payments": []}, "FORMAT_ERROR", "payments"),
        ([], {"batchBookingPreferred": "yes"}, "FORMAT_ERROR", "batchBookingPreferred"),
        ([], {"requestedExecutionTime": "2026-12-01T10:00:00"}, "FORMAT_ERROR", "requestedExecutionTime"),
        ([], {"requestedExecutionTime": "2026-11-18T10:00:00Z"}, "EXECUTION_DATE_INVALID", "requestedExecutionTime"),
        (
            [],
            {"requestedExecutionTime": "2026-12-01T10:00:00Z", "requestedExecutionDate": "2026-12-01"},
            "FORMAT_ERROR",
            "requestedExecutionTime",
        ),
    ],
)
def test_each_fault_of_a_bulk_is_named(entries: list[dict[str, Any]], changes: dict[str, Any], code: str, path: str) -> None:
    """BG IG §11.3: what belongs to the whole stands in no entry."""
    assert refused(lambda: bulk(*entries, **changes)) == (code, path)


@pytest.mark.parametrize("text", ["0.01", "999999999.99", "5", "5.5"])
def test_amounts_are_exact(text: str) -> None:
    """From the least to the most that the scheme transfers."""
    assert parse(**amount(text)).totals == (Money.parse(text, EUR),)


def test_remittance_may_be_140_characters() -> None:
    """And may be left out."""
    assert len(parse(remittanceInformationUnstructured="x" * 140).transfers[0].remittance or "") == 140
    assert parse(remittanceInformationUnstructured=...).transfers[0].remittance is None


@pytest.mark.parametrize("name", ["Müller & Söhne", "دفتر‌چه", "Εταιρεία", "Café 😀"])
def test_names_of_any_language_are_taken(name: str) -> None:
    """The joiners that Persian needs among them."""
    assert parse(creditorName=name).transfers[0].creditor_name == name


@pytest.mark.parametrize(
    "instruction",
    [
        parse(
            endToEndIdentification="E2E-1",
            creditorAgent="MUSTDEFFXXX",
            creditorAddress={"country": "DE", "townName": "Berlin"},
            creditorAccount={"iban": ELSEWHERE, "currency": "EUR"},
            requestedExecutionDate="2026-12-01",
        ),
        parse(TARGET_2, chargeBearer="SHAR"),
        periodic(endDate="2027-12-01", executionRule="preceding", dayOfExecution="31"),
        periodic(frequency="MonthlyVariable", monthsOfExecution=["10", "1"]),
        bulk(entry(), entry("7.77"), batchBookingPreferred=False, requestedExecutionTime="2026-12-01T10:00:00+01:00"),
    ],
    ids=["single", "charges", "periodic", "months", "bulk"],
)
def test_what_is_written_reads_back_the_same(instruction: Instruction) -> None:
    """The store keeps the wire form."""
    assert instruction_from_json(instruction_as_json(instruction)) == instruction

"""Reading a credit transfer: each body is wrong in exactly one way, and the refusal names where (BG IG 1.3.8 §11.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bank_backend.errors import FormatError
from bank_backend.payments.wire import instruction_as_json, instruction_digest, instruction_from_json, parse_instruction
from psd2.money import Money
from tests.support.bank_sca import ELSEWHERE, payment_body

DEBTOR = "DE89370400440532013000"
EUR = "EUR"


def parse(**changes: Any) -> Any:
    body = {name: value for name, value in payment_body(DEBTOR, **changes).items() if value is not ...}
    return parse_instruction(json.dumps(body).encode())


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
        ({"requestedExecutionDate": "2030-01-01"}, "requestedExecutionDate"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], path: str) -> None:
    """A date that would be ignored is refused like an amount that would be rounded."""
    with pytest.raises(FormatError) as refused:
        parse(**changes)

    assert refused.value.path == path


@pytest.mark.parametrize("text", ["0.01", "999999999.99", "5", "5.5"])
def test_amounts_are_exact(text: str) -> None:
    """From the least to the most that the scheme transfers."""
    assert parse(**amount(text)).amount == Money.parse(text, EUR)


def test_remittance_may_be_140_characters() -> None:
    """And may be left out."""
    assert len(parse(remittanceInformationUnstructured="x" * 140).remittance) == 140
    assert parse(remittanceInformationUnstructured=...).remittance is None


@pytest.mark.parametrize("name", ["Müller & Söhne", "دفتر‌چه", "Εταιρεία", "Café 😀"])
def test_names_of_any_language_are_taken(name: str) -> None:
    """The joiners that Persian needs among them."""
    assert parse(creditorName=name).creditor_name == name


def test_what_is_written_reads_back_the_same() -> None:
    """The store keeps the wire form."""
    instruction = parse(
        endToEndIdentification="E2E-1",
        creditorAgent="MUSTDEFFXXX",
        creditorAddress={"country": "DE", "townName": "Berlin"},
        creditorAccount={"iban": ELSEWHERE, "currency": "EUR"},
    )

    assert instruction_from_json(instruction_as_json(instruction)) == instruction


def test_a_digest_looks_through_spelling() -> None:
    """5.5 and 5.50 are one payment; another payee makes another."""
    same = {instruction_digest(parse(**amount(text))) for text in ("5.5", "5.50")}

    assert len(same) == 1
    assert instruction_digest(parse(**amount("5.5"), creditorName="Somebody else")) not in same

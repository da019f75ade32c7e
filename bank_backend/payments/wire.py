"""Payments as JSON: the request read into an instruction, the payment written as an answer (BG IG 1.3.8 §5.3.1, §11.1)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import orjson
from pydantic import StringConstraints

from bank_backend.bodies import AmountBody, Body, Max35Text, Max70Text, Max140Text, ReferenceBody, read_tpp_body
from bank_backend.errors import FormatError
from bank_backend.payments.model import MOST_MINOR, Instruction

if TYPE_CHECKING:
    from bank_backend.payments.model import Payment
    from bank_backend.references import AccountReference
    from psd2.money import Money

_CURRENCY = "EUR"
BicText = Annotated[str, StringConstraints(pattern="^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$")]
CountryText = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class AddressBody(Body):
    """`address`."""

    streetName: Max70Text | None = None  # noqa: N815 - wire name
    buildingNumber: Max35Text | None = None  # noqa: N815 - wire name
    townName: Max70Text | None = None  # noqa: N815 - wire name
    postCode: Max35Text | None = None  # noqa: N815 - wire name
    country: CountryText


class PaymentBody(Body):
    """`paymentInitiation_json` as far as the SCT core product takes it (BG IG §11.1)."""

    endToEndIdentification: Max35Text | None = None  # noqa: N815 - wire name
    debtorAccount: ReferenceBody  # noqa: N815 - wire name
    instructedAmount: AmountBody  # noqa: N815 - wire name
    creditorAccount: ReferenceBody  # noqa: N815 - wire name
    creditorAgent: BicText | None = None  # noqa: N815 - wire name
    creditorAgentName: Max140Text | None = None  # noqa: N815 - wire name
    creditorName: Max70Text  # noqa: N815 - wire name
    creditorAddress: AddressBody | None = None  # noqa: N815 - wire name
    remittanceInformationUnstructured: Max140Text | None = None  # noqa: N815 - wire name


def parse_instruction(data: bytes) -> Instruction:
    """Read the body of `POST /v1/payments/sepa-credit-transfers`; raises `FormatError`, naming the field."""
    return _instruction(read_tpp_body(data, PaymentBody))


def _instruction(body: PaymentBody) -> Instruction:
    amount = body.instructedAmount.parsed
    _require_payable(amount)
    _require_two_accounts(body.debtorAccount.parsed, body.creditorAccount.parsed)
    address = body.creditorAddress
    return Instruction(
        debtor=body.debtorAccount.parsed,
        creditor=body.creditorAccount.parsed,
        creditor_name=body.creditorName,
        amount=amount,
        remittance=body.remittanceInformationUnstructured,
        end_to_end_id=body.endToEndIdentification,
        creditor_agent=body.creditorAgent,
        creditor_agent_name=body.creditorAgentName,
        creditor_address=None if address is None else address.model_dump(exclude_none=True),
    )


def _require_payable(amount: Money) -> None:
    if amount.currency != _CURRENCY:
        text = f"a SEPA credit transfer is in EUR, not {amount.currency}"
        raise FormatError(text, path="instructedAmount.currency")
    if not 0 < amount.minor <= MOST_MINOR:
        text = f"{amount} can't be transferred: a SEPA credit transfer is 0.01 to 999999999.99 EUR"
        raise FormatError(text, path="instructedAmount.amount")


def _require_two_accounts(debtor: AccountReference, creditor: AccountReference) -> None:
    if debtor.iban == creditor.iban:
        raise FormatError("debtor and creditor are the same account", path="creditorAccount.iban")
    for name, reference in (("debtorAccount", debtor), ("creditorAccount", creditor)):
        if reference.currency not in {None, _CURRENCY}:
            text = f"a SEPA credit transfer moves EUR, and {name} names an account in {reference.currency}"
            raise FormatError(text, path=f"{name}.currency")


def instruction_digest(instruction: Instruction) -> str:
    """Return a digest that is equal for two requests that ask for the same payment, however their JSON is spaced."""
    canonical = orjson.dumps(instruction_as_json(instruction), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def instruction_as_json(instruction: Instruction) -> dict[str, object]:
    """Write the instruction as the TPP sent it; only what was given appears."""
    body: dict[str, object | None] = {
        "endToEndIdentification": instruction.end_to_end_id,
        "debtorAccount": _reference(instruction.debtor),
        "instructedAmount": {"currency": instruction.amount.currency, "amount": instruction.amount.decimal},
        "creditorAccount": _reference(instruction.creditor),
        "creditorAgent": instruction.creditor_agent,
        "creditorAgentName": instruction.creditor_agent_name,
        "creditorName": instruction.creditor_name,
        "creditorAddress": instruction.creditor_address,
        "remittanceInformationUnstructured": instruction.remittance,
    }
    return {name: value for name, value in body.items() if value is not None}


def instruction_from_json(body: dict[str, object]) -> Instruction:
    """Read what `instruction_as_json` wrote: the store keeps the instruction in its wire form."""
    return _instruction(PaymentBody.model_validate(body))


def _reference(reference: AccountReference) -> dict[str, str]:
    return {"iban": reference.iban} | ({"currency": reference.currency} if reference.currency else {})


def payment_as_json(payment: Payment) -> dict[str, object]:
    """Write `paymentInitiationWithStatusResponse`."""
    return instruction_as_json(payment.instruction) | {"transactionStatus": payment.status.value}


def status_as_json(payment: Payment) -> dict[str, object]:
    """Write `paymentInitiationStatusResponse-200_json`; a rejection tells why (`reasonCode` is ISO 20022's: our extension)."""
    body: dict[str, object] = {"transactionStatus": payment.status.value}
    if payment.reason is not None:
        body |= {"psuMessage": f"Rejected: {payment.reason.text}", "reasonCode": payment.reason.code}
    return body

"""JSON payments: a request read into an instruction (BG IG 1.3.8 §5.3.1, §5.3.3.1, §5.3.4.1, §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.bodies import read_tpp_body
from bank_backend.payments.bodies import (
    BODIES,
    BulkBody,
    CrossBorderTransferBody,
    PeriodicBody,
    SepaTransferBody,
    SingleBody,
    StandingOrderBody,
    TransferBody,
)
from bank_backend.payments.instruction import CreditorAccount, Instruction, Transfer
from bank_backend.payments.recurrence import ExecutionRule, RecurrenceRule
from bank_backend.personalities.model import PaymentService

if TYPE_CHECKING:
    from bank_backend.bodies import Body
    from bank_backend.errors import BankError
    from bank_backend.payments.products import Product, Scheme

_OF_INSTRUCTIONS: Final = frozenset(
    {"debtorAccount", "requestedExecution", "startDate", "endDate", "dayOfExecution", "monthsOfExecution"}
)


class JsonPlaces:
    """Names fields by their JSON path; those of a bulk's transfers stand under `payments[n]`."""

    def __init__(self, service: PaymentService) -> None:
        """Look into a body of this service."""
        self._service = service

    def fault(self, kind: type[BankError], text: str, field: str, transfer: int = 0) -> BankError:
        """Return the refusal of a field."""
        is_of_instruction = field.startswith(tuple(_OF_INSTRUCTIONS))
        return kind(text, path=field if is_of_instruction else f"{self.prefix(transfer)}{field}")

    def prefix(self, transfer: int) -> str:
        """Return what stands before the path of a transfer's field."""
        return f"payments[{transfer}]." if self._service is PaymentService.BULK else ""


def read_instruction(data: bytes, *, service: PaymentService, product: Product) -> Instruction:
    """Read the body of a JSON payment; raises `FormatError`, naming each field that is wrong."""
    return _instruction(read_tpp_body(data, BODIES[product.product][service]), product.scheme)


def read_standing_order(data: bytes, scheme: Scheme) -> RecurrenceRule:
    """Read the JSON part of a periodic pain.001 payment (BG IG §5.3.4.2); raises `FormatError`."""
    return recurrence_rule(read_tpp_body(data, StandingOrderBody), scheme)


def _instruction(body: Body, scheme: Scheme) -> Instruction:
    if isinstance(body, BulkBody):
        return Instruction(
            debtor=body.debtorAccount.parsed,
            transfers=tuple(_transfer(each) for each in body.payments),
            is_bulk=True,
            batch_booking=body.batchBookingPreferred,
            execution_date=body.requestedExecutionDate,
            execution_time=body.requestedExecutionTime,
        )
    if isinstance(body, PeriodicBody):
        rule = recurrence_rule(body, scheme)
        return Instruction(debtor=body.debtorAccount.parsed, transfers=(_transfer(body),), rule=rule)
    if isinstance(body, SingleBody):
        day = body.requestedExecutionDate
        return Instruction(debtor=body.debtorAccount.parsed, transfers=(_transfer(body),), execution_date=day)
    raise TypeError(body)


def _transfer(body: TransferBody) -> Transfer:
    address = body.creditorAddress
    return Transfer(
        creditor=_creditor(body),
        creditor_name=body.creditorName,
        amount=body.instructedAmount.parsed,
        remittance=body.remittanceInformationUnstructured,
        end_to_end_id=getattr(body, "endToEndIdentification", None),
        creditor_agent=body.creditorAgent,
        creditor_agent_name=body.creditorAgentName,
        creditor_address=None if address is None else address.model_dump(exclude_none=True),
        charge_bearer=getattr(body, "chargeBearer", None),
    )


def _creditor(body: TransferBody) -> CreditorAccount:
    if isinstance(body, CrossBorderTransferBody):
        anywhere = body.creditorAccount
        return CreditorAccount(iban=anywhere.iban or "", bban=anywhere.bban or "", currency=anywhere.currency)
    if isinstance(body, SepaTransferBody):
        return CreditorAccount(iban=body.creditorAccount.iban, currency=body.creditorAccount.currency)
    raise TypeError(body)


def recurrence_rule(body: StandingOrderBody, scheme: Scheme) -> RecurrenceRule:
    """Return the calendar that a standing order asks for; on a closing day it waits for the next business day unless told.

    Instant payments settle on every day: theirs stay where they fall unless a rule is given.
    """
    usual = None if scheme.is_instant else ExecutionRule.FOLLOWING
    return RecurrenceRule(
        start=body.startDate,
        end=body.endDate,
        frequency=body.frequency,
        execution_rule=body.executionRule or usual,
        day=body.dayOfExecution,
        months=tuple(sorted(body.monthsOfExecution or ())),
    )

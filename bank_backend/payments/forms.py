"""Payments written as JSON: for answers, and for the store, which keeps an instruction in its wire form (BG IG 1.3.8 §5.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from bank_backend.ledger.particulars import particulars_as_json, particulars_from_json
from bank_backend.ledger.products import ChargeBearer
from bank_backend.payments.instruction import CreditorAccount, Instruction, Transfer
from bank_backend.payments.recurrence import ExecutionRule, Frequency, RecurrenceRule
from bank_backend.references import AccountReference, reference_json
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
_MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"


def instruction_as_json(instruction: Instruction) -> Json:
    """Write the instruction as a TPP would send it; only what was given appears."""
    body: Json = {"debtorAccount": reference_json(instruction.debtor)}
    if instruction.rule is not None:
        body |= rule_as_json(instruction.rule)
    day, moment = instruction.execution_date, instruction.execution_time
    body |= _given(
        batchBookingPreferred=instruction.batch_booking,
        # Of pain.001 only, which is answered as it was sent.
        batches=list(instruction.batches) or None,
        requestedExecutionDate=None if day is None else day.isoformat(),
        requestedExecutionTime=None if moment is None else moment.strftime(_MOMENT),
    )
    if instruction.is_bulk:
        return body | {"payments": [transfer_as_json(each) for each in instruction.transfers]}
    return body | transfer_as_json(instruction.transfers[0])


def transfer_as_json(transfer: Transfer) -> Json:
    """Write one transfer."""
    creditor = transfer.creditor
    return _given(
        endToEndIdentification=transfer.end_to_end_id,
        instructedAmount=amount_as_json(transfer.amount),
        creditorAccount=_given(iban=creditor.iban or None, bban=creditor.bban or None, currency=creditor.currency),
        creditorAgent=transfer.creditor_agent,
        creditorAgentName=transfer.creditor_agent_name,
        creditorName=transfer.creditor_name,
        creditorAddress=None if transfer.creditor_address is None else dict(transfer.creditor_address),
        chargeBearer=None if transfer.charge_bearer is None else transfer.charge_bearer.value,
        remittanceInformationUnstructured=transfer.remittance,
        # Of pain.001 only, which is answered as it was sent.
        particulars=particulars_as_json(transfer.particulars),
    )


def amount_as_json(amount: Money) -> Json:
    """Write `amount`."""
    return {"currency": amount.currency, "amount": amount.decimal}


def instruction_from_json(body: Mapping[str, Any]) -> Instruction:
    """Read what `instruction_as_json` wrote; it was judged when it came in."""
    bulk = body.get("payments")
    return Instruction(
        debtor=AccountReference(**body["debtorAccount"]),
        transfers=tuple(_transfer(each) for each in ([body] if bulk is None else bulk)),
        is_bulk=bulk is not None,
        batch_booking=body.get("batchBookingPreferred"),
        batches=tuple(body.get("batches", ())),
        execution_date=_date(body.get("requestedExecutionDate")),
        execution_time=_moment(body.get("requestedExecutionTime")),
        rule=_rule(body) if "frequency" in body else None,
    )


def rule_as_json(rule: RecurrenceRule) -> Json:
    """Write when a periodic payment is executed."""
    return _given(
        startDate=rule.start.isoformat(),
        endDate=None if rule.end is None else rule.end.isoformat(),
        executionRule=None if rule.execution_rule is None else rule.execution_rule.value,
        frequency=rule.frequency.value,
        dayOfExecution=None if rule.day is None else str(rule.day),
        monthsOfExecution=[str(month) for month in rule.months] or None,
    )


def _rule(body: Mapping[str, Any]) -> RecurrenceRule:
    day, rule = body.get("dayOfExecution"), body.get("executionRule")
    return RecurrenceRule(
        start=date.fromisoformat(body["startDate"]),
        end=_date(body.get("endDate")),
        frequency=Frequency(body["frequency"]),
        execution_rule=None if rule is None else ExecutionRule(rule),
        day=None if day is None else int(day),
        months=tuple(int(month) for month in body.get("monthsOfExecution", ())),
    )


def _transfer(body: Mapping[str, Any]) -> Transfer:
    bearer, amount = body.get("chargeBearer"), body["instructedAmount"]
    return Transfer(
        creditor=CreditorAccount(**body["creditorAccount"]),
        creditor_name=body["creditorName"],
        amount=Money.parse(amount["amount"], amount["currency"]),
        remittance=body.get("remittanceInformationUnstructured"),
        end_to_end_id=body.get("endToEndIdentification"),
        creditor_agent=body.get("creditorAgent"),
        creditor_agent_name=body.get("creditorAgentName"),
        creditor_address=body.get("creditorAddress"),
        charge_bearer=None if bearer is None else ChargeBearer(bearer),
        particulars=particulars_from_json(body.get("particulars")),
    )


def _given(**members: object) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)

"""When a payment that is approved now is to be executed: pure (BG IG 1.3.8 §11.2, §11.3, §5.3.4.1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from bank_backend.ledger.calendar import business_day, is_business_day

if TYPE_CHECKING:
    from bank_backend.payments.model import Payment


def midnight(day: date) -> datetime:
    """Return the moment at which a day of the bank begins."""
    return datetime.combine(day, time(), UTC)


def due_moment(payment: Payment, now: datetime) -> datetime | None:
    """Return when to execute, now at the earliest; None where no day of execution is left."""
    instruction = payment.instruction
    if instruction.rule is not None:
        day = instruction.rule.first_from(now.date())
        return None if day is None else max(now, midnight(day))
    wanted = now if instruction.execution_date is None else midnight(instruction.execution_date)
    due = max(now, instruction.execution_time or wanted)
    if payment.product.scheme.business_days_only and not is_business_day(due.date()):
        return midnight(business_day(due.date()))
    return due

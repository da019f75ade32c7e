"""What can be wrong with a payment that is asked for (BG IG 1.3.8 §14.11)."""

from __future__ import annotations

from bank_backend.errors import BankError
from psd2.tpp_messages import MessageCode


class ExecutionDateInvalid(BankError):
    """The requested execution date is not possible (400)."""

    code = MessageCode.EXECUTION_DATE_INVALID
    problem_code = "payment.execution_date"
    title = "The execution date is not possible"


class CancellationInvalid(BankError):
    """The payment can't be cancelled any more (405)."""

    code = MessageCode.CANCELLATION_INVALID
    problem_code = "payment.cancellation"
    title = "The payment can't be cancelled"

"""What a PSU is asked about payments, bound to the code that it types: amounts, payees, days (RTS 2018/389 Art. 5 (1)(a))."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from bank_backend.authorisations.asks import AccountChoice, PaymentAsk
from bank_backend.authorisations.wording import Line, Wording
from bank_backend.readable import readable_day, readable_iban, readable_list, readable_money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.accounts.model import Account
    from bank_backend.payments.instruction import Instruction, Transfer
    from bank_backend.payments.model import Payment
    from bank_backend.payments.recurrence import RecurrenceRule
    from bank_backend.references import AccountReference

# More payees than anybody reads: the rest is told by number and sum, and the code is bound to all of them by a digest.
_MOST_PAYEES: Final = 20
_MOST_DAYS: Final = 3
_REFUSED: Final = "No money has moved."


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionAsk:
    """A payment that is not one transfer at once. `digest` stands for everything that was instructed."""

    instruction: Instruction
    digest: str
    today: date
    choice: AccountChoice = AccountChoice.NAMED

    @property
    def references(self) -> tuple[AccountReference, ...]:
        """The account that the TPP names."""
        return (self.instruction.debtor,)

    def statement(self, _tpp: str, accounts: Sequence[Account]) -> str:
        """Say in one sentence what approving does."""
        source = readable_list([each.readable for each in accounts])
        return f"you pay {self.summary} from {source}{self._when}"

    @property
    def summary(self) -> str:
        """Amount and payee; of a bulk its sums, its number and each payee as far as anybody reads."""
        transfers = self.instruction.transfers
        if not self.instruction.is_bulk:
            return f"{readable_money(transfers[0].amount)} to {_payee(transfers[0])}"
        payees = [f"{readable_money(each.amount)} to {_payee(each)}" for each in transfers[:_MOST_PAYEES]]
        more = len(transfers) - _MOST_PAYEES
        rest = [f"{more} more (reference {self.digest[:12]})"] if more > 0 else []
        return f"{_sums(self.instruction)} in {_count(len(transfers))}: {readable_list([*payees, *rest])}"

    @property
    def _when(self) -> str:
        instruction = self.instruction
        if instruction.rule is not None:
            return f", {_rhythm(instruction.rule)}"
        day = _day_of(instruction, self.today)
        return "" if day is None else f" on {readable_day(day)}"

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return amounts, payees, account and days."""
        is_bulk, is_order = self.instruction.is_bulk, self.instruction.rule is not None
        what = _count(len(self.instruction.transfers)) if is_bulk else "a standing order" if is_order else "a payment"
        these, totals = "these payments" if is_bulk else "this payment", self.instruction.totals
        total = totals[0] if len(totals) == 1 else None
        return Wording(
            opening=f"{tpp} has prepared {what} for you",
            question=f"Do you want to {'set this up' if is_order else f'make {these}'}?",
            lines=(*self._payee_lines(), *(Line("From", each.name, each.readable) for each in accounts), *self._when_lines()),
            total=total,
            confirm=f"Pay {readable_money(total)}" if total is not None and not is_order else "Confirm",
            confirmed="Your order has been taken.",
            refused=_REFUSED,
        )

    def _payee_lines(self) -> list[Line]:
        transfers = self.instruction.transfers
        if not self.instruction.is_bulk:
            (only,) = transfers
            return [Line("To", only.creditor_name, _account(only)), Line("Reference", only.remittance or "none")]
        shown = [
            Line("To", f"{each.creditor_name}: {readable_money(each.amount)}", _account(each))
            for each in transfers[:_MOST_PAYEES]
        ]
        hidden = transfers[_MOST_PAYEES:]
        rest = [Line("And", f"{len(hidden)} more", f"reference {self.digest[:12]}")] if hidden else []
        return [Line("In all", f"{_sums(self.instruction)} in {_count(len(transfers))}"), *shown, *rest]

    def _when_lines(self) -> list[Line]:
        rule, day = self.instruction.rule, _day_of(self.instruction, self.today)
        if rule is None:
            return [Line("When", "At once; it can't be taken back" if day is None else readable_day(day))]
        days = [readable_day(each) for each in islice(rule.days_from(self.today), _MOST_DAYS)]
        last = "Until you end it" if rule.last is None else readable_day(rule.last)
        return [
            Line("How often", _frequency(rule)),
            Line("First days", readable_list(days or ["none"])),
            Line("Last day", last),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationAsk:
    """The end of a payment that has not been made, or not in full."""

    payment: InstructionAsk
    choice: AccountChoice = AccountChoice.NAMED

    @property
    def references(self) -> tuple[AccountReference, ...]:
        """The account that would pay."""
        return self.payment.references

    def statement(self, tpp: str, accounts: Sequence[Account]) -> str:
        """Say in one sentence what approving does."""
        return f"you cancel this: {self.payment.statement(tpp, accounts)}"

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return what would be paid, to whom and when."""
        of_payment = self.payment.wording(tpp, accounts)
        return Wording(
            opening=f"{tpp} asks to cancel a payment of yours",
            question="Do you want to cancel this payment?",
            lines=(*(Line("Amount", readable_money(each)) for each in self.payment.instruction.totals), *of_payment.lines),
            confirm="Cancel the payment",
            confirmed="The payment is cancelled.",
            refused="The payment stands as it was.",
        )


def ask_of(payment: Payment, today: date) -> PaymentAsk | InstructionAsk:
    """Return what a PSU is asked to approve."""
    instruction = payment.instruction
    if instruction.is_bulk or instruction.rule is not None or _day_of(instruction, today) is not None:
        return instruction_ask(payment, today)
    (transfer,) = instruction.transfers
    return PaymentAsk(
        references=(instruction.debtor,),
        amount=transfer.amount,
        creditor_name=transfer.creditor_name,
        creditor_iban=transfer.creditor.number,
        remittance=transfer.remittance or "",
    )


def instruction_ask(payment: Payment, today: date) -> InstructionAsk:
    """Return a payment as an ask that can tell days and several payees."""
    return InstructionAsk(instruction=payment.instruction, digest=payment.request_digest, today=today)


def _payee(transfer: Transfer) -> str:
    return f"{transfer.creditor_name}, {_account(transfer)}"


def _account(transfer: Transfer) -> str:
    return readable_iban(transfer.creditor.number)


def _sums(instruction: Instruction) -> str:
    return readable_list([readable_money(each) for each in instruction.totals])


def _count(number: int) -> str:
    return "1 payment" if number == 1 else f"{number} payments"


def _day_of(instruction: Instruction, today: date) -> date | None:
    """Return the day of execution, None for at once."""
    moment = instruction.execution_time
    day = instruction.execution_date if moment is None else moment.date()
    return None if day is not None and day <= today else day


def _rhythm(rule: RecurrenceRule) -> str:
    until = "until further notice" if rule.end is None else f"until {readable_day(rule.end)}"
    return f"{_frequency(rule)}, from {readable_day(rule.start)} {until}"


def _frequency(rule: RecurrenceRule) -> str:
    day = "" if rule.day is None else f" on day {rule.day}"
    months = f" in months {readable_list([str(month) for month in rule.months])}" if rule.months else ""
    moved = f", moved to the {rule.execution_rule} business day" if rule.execution_rule is not None else ""
    return f"{rule.frequency.words}{day}{months}{moved}"

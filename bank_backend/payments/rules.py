"""What every instruction must obey, in whichever format it came (BG IG 1.3.8 §11, §5.3.4.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.errors import FormatError, PeriodInvalid
from bank_backend.ledger.calendar import business_day, is_business_day
from bank_backend.payments.errors import ExecutionDateInvalid
from bank_backend.payments.products import MOST_MINOR
from bank_backend.payments.recurrence import Frequency
from bank_backend.references import is_iban_shaped
from psd2.money import Money

if TYPE_CHECKING:
    from datetime import date, datetime

    from bank_backend.errors import BankError
    from bank_backend.payments.instruction import Instruction, Transfer
    from bank_backend.payments.products import Scheme
    from bank_backend.payments.recurrence import RecurrenceRule

MOST_DAYS_AHEAD: Final = 365
_MOST_YEARS: Final = timedelta(days=100 * 366)


class Places(Protocol):
    """Knows where in a request a field stands."""

    def fault(self, kind: type[BankError], text: str, field: str, transfer: int = 0) -> BankError:
        """Return the refusal of a field, named as JSON names it, of the n-th transfer where it is a transfer's."""


def require_rules(instruction: Instruction, scheme: Scheme, places: Places, now: datetime) -> None:
    """Raise `FormatError` or its kin where the instruction breaks a rule; `places` names the field."""
    for number, transfer in enumerate(instruction.transfers):
        _require_payable(transfer, scheme, places, number)
        _require_accounts(instruction, transfer, scheme, places, number)
        _require_charge_bearer(transfer, scheme, places, number)
        _require_reachable(transfer, places, number)
    _require_moment(instruction, scheme, places, now)
    if instruction.rule is not None:
        _require_recurrence(instruction.rule, places, now.date())


def _require_payable(transfer: Transfer, scheme: Scheme, places: Places, number: int) -> None:
    amount = transfer.amount
    if scheme.currency not in {None, amount.currency}:
        text = f"a {scheme.title} is in {scheme.currency}, not {amount.currency}"
        raise places.fault(FormatError, text, "instructedAmount.currency", number)
    if not 0 < amount.minor <= MOST_MINOR:
        least, most = Money(1, amount.currency), Money(MOST_MINOR, amount.currency)
        text = f"{amount} can't be transferred: a {scheme.title} is {least.decimal} to {most}"
        raise places.fault(FormatError, text, "instructedAmount.amount", number)


def _require_accounts(instruction: Instruction, transfer: Transfer, scheme: Scheme, places: Places, number: int) -> None:
    debtor, creditor = instruction.debtor, transfer.creditor
    if debtor.iban == creditor.iban:
        raise places.fault(FormatError, "debtor and creditor are the same account", "creditorAccount.iban", number)
    for name, currency in (("debtorAccount", debtor.currency), ("creditorAccount", creditor.currency)):
        if scheme.currency is not None and currency not in {None, scheme.currency}:
            text = f"a {scheme.title} moves {scheme.currency}, and {name} names an account in {currency}"
            raise places.fault(FormatError, text, f"{name}.currency", number)


def _require_charge_bearer(transfer: Transfer, scheme: Scheme, places: Places, number: int) -> None:
    if transfer.charge_bearer is not None and transfer.charge_bearer not in scheme.charge_bearers:
        text = f"a {scheme.title} takes {', '.join(scheme.charge_bearers)}, not {transfer.charge_bearer}"
        raise places.fault(FormatError, text, "chargeBearer", number)


def _require_reachable(transfer: Transfer, places: Places, number: int) -> None:
    """Require what leads to an account whose number does not name its country (BG IG §11.1: conditional)."""
    creditor = transfer.creditor
    if bool(creditor.iban) == bool(creditor.bban):
        text = "name the creditor's account by either its iban or, where its country has none, its bban"
        raise places.fault(FormatError, text, "creditorAccount", number)
    if not creditor.bban:
        return
    if is_iban_shaped(creditor.bban):
        text = "a BBAN does not begin like an IBAN, with two capital letters and two digits: give an IBAN as iban"
        raise places.fault(FormatError, text, "creditorAccount", number)
    for name, value in (("creditorAgent", transfer.creditor_agent), ("creditorAddress", transfer.creditor_address)):
        if value is None:
            raise places.fault(FormatError, f"{name} is missing: an account without IBAN is found by it", name, number)


def _require_moment(instruction: Instruction, scheme: Scheme, places: Places, now: datetime) -> None:
    day, moment = instruction.execution_date, instruction.execution_time
    if day is not None and moment is not None:
        text = "give either requestedExecutionDate or requestedExecutionTime"
        raise places.fault(FormatError, text, "requestedExecutionTime")
    if day is not None:
        _require_day(day, "requestedExecutionDate", scheme, places, now.date())
    if moment is not None:
        if moment < now:
            text = f"{moment:%Y-%m-%dT%H:%M:%SZ} is past: it is {now:%Y-%m-%dT%H:%M:%SZ} for this bank"
            raise places.fault(ExecutionDateInvalid, text, "requestedExecutionTime")
        _require_day(moment.date(), "requestedExecutionTime", scheme, places, now.date())


def _require_day(day: date, field: str, scheme: Scheme, places: Places, today: date) -> None:
    _require_within(day, field, places, today)
    if scheme.business_days_only and not is_business_day(day):
        text = f"a {scheme.title} is not settled on {day}: TARGET opens again on {business_day(day)}"
        raise places.fault(ExecutionDateInvalid, text, field)


def _require_within(day: date, field: str, places: Places, today: date) -> None:
    if day < today:
        raise places.fault(ExecutionDateInvalid, f"{day} is past: it is {today} for this bank", field)
    if (day - today).days > MOST_DAYS_AHEAD:
        latest = today + timedelta(days=MOST_DAYS_AHEAD)
        raise places.fault(ExecutionDateInvalid, f"{day} is too far ahead: {latest} is the last day that is taken", field)


def _require_recurrence(rule: RecurrenceRule, places: Places, today: date) -> None:
    _require_months(rule, places)
    if rule.day is not None and rule.frequency.days is not None:
        text = f"dayOfExecution is a day of the month: a {rule.frequency} payment falls on startDate and each interval after it"
        raise places.fault(FormatError, text, "dayOfExecution")
    if rule.end is not None and rule.end < rule.start:
        raise places.fault(PeriodInvalid, f"endDate {rule.end} is before startDate {rule.start}", "endDate")
    if rule.end is not None and rule.end - rule.start > _MOST_YEARS:
        raise places.fault(PeriodInvalid, "endDate is more than 100 years after startDate: leave it out", "endDate")
    _require_within(rule.start, "startDate", places, today)
    if rule.first_from(today) is None:
        text = f"no day of execution lies between {rule.start} and {rule.end}: nothing would ever be paid"
        raise places.fault(PeriodInvalid, text, "endDate")


def _require_months(rule: RecurrenceRule, places: Places) -> None:
    is_variable = rule.frequency is Frequency.MONTHLY_VARIABLE
    if is_variable and not rule.months:
        text = 'monthsOfExecution is missing: the frequency MonthlyVariable needs it, for example ["1", "7"]'
        raise places.fault(FormatError, text, "monthsOfExecution")
    if rule.months and not is_variable:
        text = f"monthsOfExecution goes with the frequency MonthlyVariable and with no other; this is {rule.frequency}"
        raise places.fault(FormatError, text, "monthsOfExecution")
    if len(set(rule.months)) != len(rule.months):
        raise places.fault(FormatError, "monthsOfExecution names a month twice", "monthsOfExecution")

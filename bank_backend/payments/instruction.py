"""What a TPP instructs: one debtor, one or more credit transfers, and when (BG IG 1.3.8 §11, §5.3.4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from bank_backend.ledger.particulars import Particulars
    from bank_backend.ledger.products import ChargeBearer
    from bank_backend.payments.recurrence import RecurrenceRule
    from bank_backend.references import AccountReference


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditorAccount:
    """The payee's account: an IBAN, or a national number (`bban`) in countries that have no IBAN. Exactly one is given."""

    iban: str = ""
    bban: str = ""
    currency: str | None = None

    @property
    def number(self) -> str:
        """The account's number, of whichever kind."""
        return self.iban or self.bban


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One credit transfer of an instruction. `creditor_address` is kept as the TPP wrote it: the bank only repeats it."""

    creditor: CreditorAccount
    creditor_name: str
    amount: Money
    remittance: str | None = None
    end_to_end_id: str | None = None
    creditor_agent: str | None = None
    creditor_agent_name: str | None = None
    creditor_address: Mapping[str, str] | None = None
    charge_bearer: ChargeBearer | None = None
    # What only pain.001 has fields for: on whose behalf, what for, a structured reference.
    particulars: Particulars | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What is to be paid, from which account, and when: at once where none of the last three is given.

    `batches` says of each transfer in which batch it is booked, None for by itself; empty: as `batch_booking` has it for all.
    """

    debtor: AccountReference
    transfers: tuple[Transfer, ...]
    # A bulk of one is a bulk still.
    is_bulk: bool = False
    batch_booking: bool | None = None
    batches: tuple[int | None, ...] = ()
    execution_date: date | None = None
    execution_time: datetime | None = None
    rule: RecurrenceRule | None = None

    @property
    def is_dated(self) -> bool:
        """Whether it says itself when it is to be executed."""
        return not (self.execution_date is None and self.execution_time is None and self.rule is None)

    def batch_of(self, position: int) -> int | None:
        """Return in which batch a transfer is booked; None for by itself."""
        if self.batches:
            return self.batches[position]
        return 0 if self.batch_booking else None

    @property
    def totals(self) -> tuple[Money, ...]:
        """What is paid in all, for each currency, in the order in which they first appear."""
        sums: Counter[str] = Counter()
        for transfer in self.transfers:
            sums[transfer.amount.currency] += transfer.amount.minor
        return tuple(Money(minor, currency) for currency, minor in sums.items())

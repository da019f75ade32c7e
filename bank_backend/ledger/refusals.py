"""What the ledger refuses, each with the ISO 20022 status reason code that a rejected payment carries (external code set)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from psd2.money import Money


class LedgerError(Exception):
    """A movement that the ledger refuses; the text is a sentence for the PSU."""

    # NARR: the reason is told in words.
    reason_code: ClassVar[str] = "NARR"


class UnbalancedEntry(LedgerError):
    """An entry whose postings don't sum to zero in every currency: it is never written."""


class UnknownHold(LedgerError):
    """No open hold of this id: it never was, or it has been released or settled."""


class AlreadyBooked(LedgerError):
    """What the order executes has been executed: its origin stands in the books."""

    reason_code = "DUPL"


class UnknownAccount(LedgerError):
    """The tenant has no such account."""

    reason_code = "AC01"


class SameAccount(LedgerError):
    """Debtor and creditor are one account."""

    reason_code = "AC03"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("debtor and creditor are the same account")


class InvalidAmount(LedgerError):
    """A movement of nothing or less, or one that its charges would eat up."""

    reason_code = "AM12"


class InsufficientFunds(LedgerError):
    """The debtor's available amount is smaller than the movement with its charges."""

    reason_code = "AM04"

    def __init__(self, *, needed: Money, available: Money) -> None:
        """Tell what was needed and what there is."""
        super().__init__(f"{needed} are needed, {available} are available")
        self.needed = needed
        self.available = available


class LimitPeriod(StrEnum):
    """What an account's limit is for."""

    TRANSFER = "transfer"
    DAY = "day"


class LimitExceeded(LedgerError):
    """The account may not send as much at once, or on one day."""

    reason_code = "AM02"

    def __init__(self, *, limit: Money, period: LimitPeriod) -> None:
        """Tell the limit."""
        super().__init__(f"the account's limit is {limit} a {period}")
        self.limit = limit
        self.period = period


class Side(StrEnum):
    """Whose account it is."""

    DEBTOR = "debtor"
    CREDITOR = "creditor"


class ClosedAccount(LedgerError):
    """One of the accounts has been closed."""

    reason_code = "AC04"

    def __init__(self, side: Side) -> None:
        """Tell whose."""
        super().__init__(f"the {side}'s account is closed")
        self.side = side


class BlockedAccount(LedgerError):
    """One of the accounts is blocked: nothing leaves it and nothing is credited."""

    reason_code = "AC06"

    def __init__(self, side: Side) -> None:
        """Tell whose."""
        super().__init__(f"the {side}'s account is blocked")
        self.side = side


class NoRate(LedgerError):
    """A currency that the bank doesn't exchange."""

    reason_code = "AM03"

    def __init__(self, currency: str) -> None:
        """Tell which."""
        super().__init__(f"this bank does not exchange {currency}")
        self.currency = currency


class CurrencyRefused(LedgerError):
    """The instructed currency is neither the debtor's nor the creditor's: one exchange is made, not two."""

    reason_code = "AM03"


class BatchRefused(LedgerError):
    """One of a batch's transfers can't be made, and so none of them is."""

    def __init__(self, position: int, cause: LedgerError) -> None:
        """Tell which, from zero on, and why."""
        super().__init__(f"transfer {position + 1} of the batch: {cause}")
        self.position = position
        self.cause = cause

"""What assembling test data goes by, and the mistakes that it finds on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_backend.data.faulty_lines import FaultyLine
from psd2.money import InvalidMoney, Money

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psd2.ids import AccountId, TenantId

# An account as lines name it: IBAN or card number, and currency.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Where the data are to go: whose they become, what time it is there, what the bank's own accounts are called."""

    tenant: TenantId
    now: datetime
    password: str
    own_account: Callable[[TenantId, str], AccountId]


@dataclass(slots=True)
class Findings:
    """The mistakes so far."""

    faults: list[FaultyLine] = field(default_factory=list)

    def note(self, file: str, line: int, column: str, text: str) -> None:
        """Note a mistake; the lines that follow are looked at all the same."""
        self.faults.append(FaultyLine(file, line, column, text))

    def money(self, file: str, line: int, column: str, text: str, currency: str) -> Money | None:
        """Read an amount, or note that it is none."""
        try:
            return Money.parse(text, currency)
        except InvalidMoney as error:
            self.note(file, line, column, f"is wrong: {error}")
            return None

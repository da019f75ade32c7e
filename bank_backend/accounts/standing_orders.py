"""Standing orders, which a list of transactions tells of as `information` (BG IG 1.3.8 §6.5.4, §14.25, §14.26)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.database import Connection
    from psd2.ids import AccountId, TenantId
    from psd2.money import Money

# ISO 20022 bank transaction codes of BG IG §14.24.
CREDIT_TRANSFER_ORDER, INSTANT_ORDER = "PMNT-ICDT-STDO", "PMNT-IRCT-STDO"
CROSS_BORDER_ORDER = "PMNT-ICDT-XBST"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """An active order to pay again and again. `frequency` is BG's code (§14.32); `end` None for one without end.

    `execution_rule` is `following` or `preceding`, empty where there is none; `day_of_execution` 31 for the last of a month.
    """

    creditor_name: str
    creditor_account: str
    amount: Money
    remittance: str
    code: str
    start: date
    frequency: str
    end: date | None = None
    execution_rule: str = ""
    day_of_execution: int | None = None
    months: tuple[int, ...] = ()


class StandingOrders(Protocol):
    """Who knows the standing orders of an account: implemented by the payments."""

    def of_account(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> Sequence[StandingOrder]:
        """Return the active ones, in a stable order."""

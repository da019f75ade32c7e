"""How much one tenant may hold of the bank that all TPPs share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bank_backend.data.faulty_lines import DataTooLarge


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSize:
    """How much a tenant holds, or may."""

    accounts: int
    transactions: int


# What a reset, a restore or an export takes seconds for, not minutes.
MOST_KEPT: Final = TenantSize(accounts=2_000, transactions=250_000)


def require_room(kept: TenantSize, more: TenantSize) -> None:
    """Raise `DataTooLarge` where so many more would be too many."""
    sums = (
        ("accounts", kept.accounts, more.accounts, MOST_KEPT.accounts),
        ("transactions", kept.transactions, more.transactions, MOST_KEPT.transactions),
    )
    for name, present, added, most in sums:
        if present + added > most:
            told = f"the tenant has {present} {name}, and about {added} more are too many: it may hold {most}"
            raise DataTooLarge(f"{told}. A reset, or the import of a smaller set, makes room")

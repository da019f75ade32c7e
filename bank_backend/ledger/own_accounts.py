"""The bank's own accounts of a tenant, one of each kind and currency, made when they are first needed."""

from __future__ import annotations

import uuid
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from psd2.ids import AccountId

if TYPE_CHECKING:
    from psd2.ids import TenantId

_NAMES: Final = uuid.UUID("5f1c9a57-0d0b-4a40-9f0e-6a7c1f1d8a11")


class OwnAccount(StrEnum):
    """What an account of the bank's own is for; the column `product` of `accounts` says it."""

    # What the outside world is owed, or owes.
    SETTLEMENT = ""
    # What the bank has of a currency through exchanges.
    EXCHANGE = "exchange"
    # What it has earned.
    FEES = "fees"
    # Where a batch's one debit waits, within a transaction, to be spread over its payees: always empty.
    TRANSIT = "transit"


# A seed asks for it thousands of times.
@lru_cache(maxsize=1024)
def own_account_id(tenant: TenantId, currency: str, purpose: OwnAccount = OwnAccount.SETTLEMENT) -> AccountId:
    """Return the id of the bank's own account of this purpose and currency; the same each time."""
    return AccountId(str(uuid.uuid5(_NAMES, f"{tenant} {currency} {purpose}".rstrip())))


def own_account_name(currency: str, purpose: OwnAccount) -> str:
    """Return what the account is called in the books."""
    return f"{(purpose or 'settlement').capitalize()} {currency}"

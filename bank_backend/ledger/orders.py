"""What the ledger is told to move, and what it says it will do or has done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.ledger.products import SEPA_CREDIT_TRANSFER, ChargeBearer

if TYPE_CHECKING:
    from datetime import date

    from bank_backend.ledger.exchange import Exchange
    from bank_backend.ledger.particulars import Particulars
    from psd2.ids import AccountId, TenantId
    from psd2.money import Money

# EPC SCT rulebook AT-T014: what stands for a missing end-to-end identification.
NO_END_TO_END_ID = "NOTPROVIDED"
# Payments, received credit transfers, SEPA credit transfer.
RECEIVED_CREDIT_TRANSFER = "PMNT-RCDT-ESCT"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOrder:
    """A credit transfer to make. `amount` is instructed: in the currency of the debtor's or of the creditor's account.

    `origin` names what it executes, at most 80 characters: a payment's id, or `id:part` for one of several transfers. The
    database keeps it unique in a tenant, so that nothing is executed twice. `code` chooses the product (`products.toml`).
    """

    tenant: TenantId
    debtor: AccountId
    creditor_iban: str
    creditor_name: str
    amount: Money
    remittance: str = ""
    end_to_end_id: str = NO_END_TO_END_ID
    charge_bearer: ChargeBearer = ChargeBearer.SLEV
    code: str = SEPA_CREDIT_TRANSFER
    origin: str | None = None
    particulars: Particulars | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingTransfer:
    """Money that arrives from outside, in any currency that the bank exchanges; it is free of charge."""

    tenant: TenantId
    creditor_iban: str
    amount: Money
    debtor_name: str
    debtor_iban: str = ""
    remittance: str = ""
    end_to_end_id: str = NO_END_TO_END_ID
    code: str = RECEIVED_CREDIT_TRANSFER
    origin: str | None = None
    particulars: Particulars | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What a transfer costs and brings.

    `debited` is all that leaves the debtor's account, the debtor's `fee` included, both in that account's currency; so is
    `conversion_fee`, the part of it that is for exchanging. `credited` is what the payee gets, after the `creditor_fee`.
    """

    debited: Money
    fee: Money
    credited: Money
    creditor_fee: Money
    conversion_fee: Money
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A transfer in the books. `entry` is its transaction's id; the debtor's fee has an entry of its own."""

    entry: str
    fee_entry: str | None
    booking_date: date
    value_date: date
    charges: Charges


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedBatch:
    """A batch in the books: `entry` is the one debit's transaction, `parts` are the payees' credits in the orders' order."""

    entry: str
    fee_entry: str | None
    parts: tuple[Booked, ...]

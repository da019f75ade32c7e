"""A payment account, and what a consent lets a TPP see of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bank_backend.readable import readable_iban

if TYPE_CHECKING:
    from datetime import date

    from bank_backend.ledger.statements import Place
    from psd2.ids import AccountId, ConsentId, PsuId, TenantId


_SHOWN_FIRST: Final = 6
_SHOWN_LAST: Final = 4


class AccountStatus(StrEnum):
    """`status` of BG's accountDetails."""

    ENABLED = "enabled"
    DELETED = "deleted"
    BLOCKED = "blocked"


class AccountKind(StrEnum):
    """What an account is to its holder; the bank's own accounts are other kinds, which nobody holds and nothing lists."""

    PAYMENT = "payment"
    CARD = "card"


class AccountUsage(StrEnum):
    """`usage` of BG's accountDetails."""

    PRIVATE = "PRIV"
    PROFESSIONAL = "ORGA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer's account. `cash_account_type` is ISO 20022's code (`CACC`, `SVGS`); `overdraft_minor` its credit line.

    Accounts that share an IBAN are the sub-accounts of a multi-currency account, one for each currency (BG IG §4.5). A card
    account has a `pan` and no IBAN; what has been spent by the end of its `billing_day` is invoiced that day and paid
    later from the account it `settles_with`.
    """

    id: AccountId
    tenant: TenantId
    iban: str
    bic: str
    currency: str
    name: str
    product: str
    owner_name: str
    cash_account_type: str
    status: AccountStatus
    usage: AccountUsage
    overdraft_minor: int
    kind: AccountKind = AccountKind.PAYMENT
    # What the holder calls it in the online bank.
    display_name: str = ""
    details: str = ""
    pan: str = ""
    billing_day: int | None = None
    settles_with: AccountId | None = None
    # How many holders must agree before anything is done with it.
    signatures_required: int = 1

    @property
    def is_card(self) -> bool:
        """Whether it is a card account."""
        return self.kind is AccountKind.CARD

    @property
    def masked_pan(self) -> str:
        """The card's number as it may be shown; empty without a card."""
        return mask_pan(self.pan)

    @property
    def readable(self) -> str:
        """What people know it by: the IBAN in groups, or the masked card number."""
        return self.masked_pan if self.is_card else readable_iban(self.iban)


def mask_pan(pan: str) -> str:
    """Return a card number with its middle hidden: the first six and the last four digits may be shown (PCI DSS 3.4)."""
    return f"{pan[:_SHOWN_FIRST]}{'x' * (len(pan) - _SHOWN_FIRST - _SHOWN_LAST)}{pan[-_SHOWN_LAST:]}" if pan else ""


class AccessKind(StrEnum):
    """What a TPP asks to see, as BG's `access` names it."""

    ACCOUNTS = "accounts"
    BALANCES = "balances"
    TRANSACTIONS = "transactions"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRights:
    """What a consent grants on one account beyond its being listed."""

    account_id: AccountId
    balances: bool
    transactions: bool
    # `additionalInformation.ownerName`, or `allAccountsWithOwnerName`.
    owner_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedAccess:
    """The answer of a consent: whose accounts, and which rights on each, in the order they are to be listed."""

    consent_id: ConsentId
    psu: PsuId
    rights: tuple[AccountRights, ...]

    def on(self, account_id: str) -> AccountRights | None:
        """Return the rights on one account, or None where it isn't covered."""
        return next((right for right in self.rights if right.account_id == account_id), None)


class BookingStatus(StrEnum):
    """Which movements a TPP asks for. The specification's `information` and `all` (standing orders) are not offered."""

    BOOKED = "booked"
    PENDING = "pending"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionsQuery:
    """A request for transactions. `after_number` is set for a delta: everything booked after that entry reference."""

    booking_status: BookingStatus
    since: date
    until: date
    after_number: int | None
    with_balance: bool
    older_than: Place | None

    @property
    def page(self) -> str | None:
        """The page as links write it; None for the first."""
        return None if self.older_than is None else str(self.older_than)

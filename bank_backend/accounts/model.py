"""A payment account, and what a consent lets a TPP see of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bank_backend.readable import readable_iban

if TYPE_CHECKING:
    from datetime import date, datetime

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

    def cover(self, access: AccessKind) -> bool:
        """Whether this is granted; being listed always is."""
        return access is AccessKind.ACCOUNTS or (self.balances if access is AccessKind.BALANCES else self.transactions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How an access counts: `reading` at most `most` times under `day`, which is `once` for a consent for one access."""

    reading: str
    day: str
    most: int
    recurring: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedAccess:
    """The answer of a consent: whose accounts, and which rights on each, in the order they are to be listed.

    `now` is the tenant's time that it was judged by; `tally` None where the access doesn't count.
    """

    consent_id: ConsentId
    tenant: TenantId
    psu: PsuId
    rights: tuple[AccountRights, ...]
    now: datetime
    tally: Tally | None = None

    def on(self, account_id: str) -> AccountRights | None:
        """Return the rights on one account, or None where it isn't covered."""
        return next((right for right in self.rights if right.account_id == account_id), None)


class BookingStatus(StrEnum):
    """Which movements a TPP asks for; `information` are standing orders, `all` everything (BG IG §6.5.4)."""

    BOOKED = "booked"
    PENDING = "pending"
    BOTH = "both"
    INFORMATION = "information"
    ALL = "all"

    @property
    def has_booked(self) -> bool:
        """Whether booked movements are asked for."""
        return self in {BookingStatus.BOOKED, BookingStatus.BOTH, BookingStatus.ALL}

    @property
    def has_pending(self) -> bool:
        """Whether pending movements are asked for."""
        return self in {BookingStatus.PENDING, BookingStatus.BOTH, BookingStatus.ALL}

    @property
    def has_information(self) -> bool:
        """Whether standing orders are asked for."""
        return self in {BookingStatus.INFORMATION, BookingStatus.ALL}


class ReportFormat(StrEnum):
    """What a list of transactions is written in; XML and text by what is asked for (BG IG §6.5.4)."""

    JSON = "application/json"
    XML = "application/xml"
    TEXT = "text/plain"
    CAMT_053 = "application/vnd.berlingroup.camt.053+xml"
    CAMT_052 = "application/vnd.berlingroup.camt.052+xml"

    @property
    def content_type(self) -> str:
        """The media type of the answer: the guidelines know three."""
        return ReportFormat.XML.value if self in {ReportFormat.CAMT_052, ReportFormat.CAMT_053} else self.value


class PageDirection(StrEnum):
    """Where a page lies: next to a place, or at the end of the list."""

    OLDER = "older"
    NEWER = "newer"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class PageRef:
    """A page of a list, as links write it: `older.2026-10-01.123`, `last`; of a collection `older.2026-10-01.123.USD`."""

    direction: PageDirection
    place: Place | None = None
    currency: str = ""

    def __str__(self) -> str:
        """Write it as links do."""
        return ".".join(part for part in (self.direction.value, str(self.place or ""), self.currency) if part)


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a list, both included."""

    since: date
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionsQuery:
    """A request for transactions as it was written; `period_of` (parameters) says which days it comes to.

    `after_number` is set for a delta: everything booked after that entry reference, or after the card transaction
    `after_entry`; `is_delta` asks for everything that has not been told yet.
    """

    booking_status: BookingStatus
    since: date | None = None
    until: date | None = None
    after_number: int | None = None
    after_entry: str | None = None
    is_delta: bool = False
    with_balance: bool = False
    page: PageRef | None = None

    @property
    def is_after_entry(self) -> bool:
        """Whether what is asked for begins after a movement that is named."""
        return self.after_number is not None or self.after_entry is not None

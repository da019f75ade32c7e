"""What a consent is: access, validity, frequency and its states (BG IG 1.3.8 §6.3, §14.14, §14.16)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.accounts.model import AccessKind, AccountRights
from bank_backend.references import AccountReference, reference_to
from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from bank_backend.accounts.model import Account
    from psd2.ids import ConsentId, PsuId, TenantId

# The longest time between two strong authentications for account access (RTS 2018/389 Art. 10, as amended by 2022/2360).
SCA_VALIDITY = timedelta(days=180)
# What no PSU has approved by then is rejected.
AUTHORISATION_WINDOW = timedelta(hours=24)


class ConsentStatus(StrEnum):
    """BG IG §14.14; `partiallyAuthorised` while several PSUs must approve and not all have."""

    RECEIVED = "received"
    PARTIALLY_AUTHORISED = "partiallyAuthorised"
    VALID = "valid"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED_BY_PSU = "revokedByPsu"
    TERMINATED_BY_TPP = "terminatedByTpp"


# What a PSU can still decide on.
UNDECIDED = frozenset({ConsentStatus.RECEIVED, ConsentStatus.PARTIALLY_AUTHORISED})
_DECIDED = frozenset({ConsentStatus.VALID, ConsentStatus.REJECTED, ConsentStatus.EXPIRED, ConsentStatus.TERMINATED_BY_TPP})
CONSENT_STATES: StateMachine[ConsentStatus] = StateMachine(
    "consent",
    {
        ConsentStatus.RECEIVED: _DECIDED | {ConsentStatus.PARTIALLY_AUTHORISED},
        ConsentStatus.PARTIALLY_AUTHORISED: _DECIDED,
        ConsentStatus.VALID: frozenset({ConsentStatus.EXPIRED, ConsentStatus.REVOKED_BY_PSU, ConsentStatus.TERMINATED_BY_TPP}),
        ConsentStatus.REJECTED: frozenset(),
        ConsentStatus.EXPIRED: frozenset(),
        ConsentStatus.REVOKED_BY_PSU: frozenset(),
        ConsentStatus.TERMINATED_BY_TPP: frozenset(),
    },
)


class AccessModel(StrEnum):
    """The consent models of BG IG §6: who names the accounts, and which."""

    DEDICATED = "dedicated"
    BANK_OFFERED = "bankOffered"
    AVAILABLE_ACCOUNTS = "availableAccounts"
    GLOBAL = "global"


class AllAccounts(StrEnum):
    """The values of `availableAccounts`, `availableAccountsWithBalance` and `allPsd2`."""

    ALL_ACCOUNTS = "allAccounts"
    ALL_ACCOUNTS_WITH_OWNER_NAME = "allAccountsWithOwnerName"


References = tuple[AccountReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """BG's `accountAccess`. Of a list: absent (None), the bank offers a choice (empty), or exactly these accounts."""

    accounts: References | None = None
    balances: References | None = None
    transactions: References | None = None
    owner_name: References | None = None
    available_accounts: AllAccounts | None = None
    available_accounts_with_balance: AllAccounts | None = None
    all_psd2: AllAccounts | None = None
    # Where nobody names accounts: only those of these types (ISO 20022 ExternalCashAccountType1Code); None: of any.
    restricted_to: tuple[str, ...] | None = None

    @property
    def model(self) -> AccessModel:
        """The consent model that the attributes amount to."""
        if self.all_psd2 is not None:
            return AccessModel.GLOBAL
        if self.available_accounts is not None or self.available_accounts_with_balance is not None:
            return AccessModel.AVAILABLE_ACCOUNTS
        return AccessModel.DEDICATED if self.references else AccessModel.BANK_OFFERED

    @property
    def references(self) -> References:
        """Every account named, once, in the order of naming."""
        named = (*(self.accounts or ()), *(self.balances or ()), *(self.transactions or ()))
        return tuple(dict.fromkeys(named))

    @property
    def kinds(self) -> frozenset[AccessKind]:
        """What is asked for on at least one account."""
        balances = self.balances is not None or self.available_accounts_with_balance is not None or self.all_psd2 is not None
        transactions = self.transactions is not None or self.all_psd2 is not None
        asked = {AccessKind.ACCOUNTS: True, AccessKind.BALANCES: balances, AccessKind.TRANSACTIONS: transactions}
        return frozenset(kind for kind, is_asked in asked.items() if is_asked)

    def admits(self, account: Account) -> bool:
        """Whether the account is of a type that this is about, wherever it is not named."""
        return self.restricted_to is None or account.cash_account_type in self.restricted_to

    def rights_on(self, account: Account) -> AccountRights:
        """Return what this grants on one of the accounts it covers."""
        is_dedicated, kinds = self.model is AccessModel.DEDICATED, self.kinds
        return AccountRights(
            account_id=account.id,
            balances=_names(self.balances, account) if is_dedicated else AccessKind.BALANCES in kinds,
            transactions=_names(self.transactions, account) if is_dedicated else AccessKind.TRANSACTIONS in kinds,
            owner_name=self._tells_owner_name(account),
        )

    def _tells_owner_name(self, account: Account) -> bool:
        whole = (self.available_accounts, self.available_accounts_with_balance, self.all_psd2)
        # An empty list asks it of every account that the access is about (BG IG §6.3.1.1).
        return AllAccounts.ALL_ACCOUNTS_WITH_OWNER_NAME in whole or self.owner_name == () or _names(self.owner_name, account)

    def with_choice(self, chosen: Iterable[Account]) -> Access:
        """Return the bank-offered access with the PSU's choice put in for every empty list (BG IG §6.3.1.2)."""
        references = tuple(reference_to(account) for account in chosen)
        return replace(
            self,
            accounts=None if self.accounts is None else references,
            balances=None if self.balances is None else references,
            transactions=None if self.transactions is None else references,
            owner_name=None if self.owner_name is None else references,
        )

    def told(self) -> Access:
        """Return the access as it is granted: accounts whose owner's name is told are named (BG IG §14.17)."""
        return replace(self, owner_name=self.references) if self.owner_name == () and self.references else self


def _names(references: References | None, account: Account) -> bool:
    return any(reference.names(account) for reference in references or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent. `rights` is fixed when the PSU approves; None where every account of the PSU is meant, new ones too.

    `combined` is `combinedServiceIndicator`; `authorised_at` the moment of the strong authentication that made it valid.
    """

    id: ConsentId
    tenant: TenantId
    access: Access
    recurring: bool
    valid_until: date
    frequency_per_day: int
    status: ConsentStatus
    psu: PsuId | None
    rights: tuple[AccountRights, ...] | None
    received_at: datetime
    last_action: date
    combined: bool = False
    authorised_at: datetime | None = None

    def moved(self, to: ConsentStatus, *, on: date) -> Consent:
        """Return the consent in its next state; raises `IllegalMove`."""
        CONSENT_STATES.require_move(self.status, to=to)
        return replace(self, status=to, last_action=on)

    def settled(self, now: datetime) -> Consent:
        """Return the consent as time alone has made it: expired at its end, rejected when nobody approved it in time."""
        if CONSENT_STATES.is_final(self.status):
            return self
        turn = self.turns_at
        if now < turn:
            return self
        to = ConsentStatus.EXPIRED if self.status is ConsentStatus.VALID else ConsentStatus.REJECTED
        return self.moved(to, on=turn.date())

    @property
    def turns_at(self) -> datetime:
        """The moment from which on the consent, left alone, is over (BG IG §6.3.1.1: `validUntil` is its last day)."""
        midnight = datetime.combine(self.valid_until + timedelta(days=1), time(), tzinfo=UTC)
        if self.status is not ConsentStatus.VALID:
            return min(midnight, self.received_at + AUTHORISATION_WINDOW)
        return midnight if self.authorised_at is None else min(midnight, self.authorised_at + SCA_VALIDITY)

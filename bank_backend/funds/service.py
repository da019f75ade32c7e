"""Funds consents from receipt to their end, and the yes or no they allow (XS2A-COFC 2.0; BG IG 1.3.8 §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.listing import PAGE_CONSENTS, page_of
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import ConsentInvalid, ConsentUnknown, FormatError, HeaderConsentUnknown, ResourceUnknown, TokenInvalid
from bank_backend.funds.errors import CardInvalid, NoPiisActivation
from bank_backend.funds.model import AUTHORISATION_WINDOW, FundsConsent
from bank_backend.ledger.refusals import NoRate
from bank_backend.schedule.model import TaskKind
from psd2.ids import ConsentId, new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.accounts.model import Account
    from bank_backend.calls import TppCall
    from bank_backend.consents.listing import ConsentPage, ConsentPlace
    from bank_backend.consents.service import OpenAuthorisations, Repeats
    from bank_backend.database import Connection, Database
    from bank_backend.funds.wire import FundsConsentRequest, FundsQuestion
    from bank_backend.ledger.exchange import Exchange
    from bank_backend.repeats.model import MakingRequest
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import AccountId, PsuId, TenantId
    from psd2.money import Money


class FundsConsentStore(Protocol):
    """Where funds consents are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, consent: FundsConsent) -> None:
        """Write a new consent."""

    def save(self, connection: Connection, consent: FundsConsent) -> None:
        """Write the consent's new state over its old one."""

    def find(self, connection: Connection, tenant: TenantId, consent_id: str) -> FundsConsent | None:
        """Return the tenant's consent, or None."""

    def find_locked(self, connection: Connection, tenant: TenantId, consent_id: str) -> FundsConsent | None:
        """Return the tenant's consent, locked until the transaction ends, or None."""

    def of_psu(
        self, connection: Connection, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None, limit: int
    ) -> list[FundsConsent]:
        """Return so many of the consents that this PSU has signed, open ones first, then the newest, behind a place."""


class Funds(Protocol):
    """The part of the ledger that confirmations need."""

    def available(self, connection: Connection, tenant: TenantId, account_id: AccountId, *, today: date) -> Money:
        """Return what can be spent now."""


class AccountsOfIban(Protocol):
    """The part of the account directory that confirmations need."""

    def of_iban(self, connection: Connection, tenant: TenantId, iban: str) -> Sequence[Account]:
        """Return the accounts of this IBAN: none, one, or the sub-accounts of a multi-currency account."""


class Rates(Protocol):
    """The rates at which the bank exchanges."""

    def exchange(self, *, source: str, target: str, day: date) -> Exchange:
        """Return the day's rate between two currencies; raises `NoRate`."""


class Reminders(Protocol):
    """The part of the schedule that funds consents need."""

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have a task done at `due` of the tenant's time; the same one twice is one."""


class FundsConsents:
    """What card issuers and PSUs do with funds consents; approving them is `funds.approval`'s."""

    def __init__(
        self,
        *,
        database: Database,
        store: FundsConsentStore,
        schedule: Reminders,
        authorisations: OpenAuthorisations,
        repeats: Repeats,
        clock: TenantClock,
    ) -> None:
        """Keep consents in `store`, in transactions of `database`; `schedule` ends those that nobody approves."""
        self._repeats = repeats
        self._database = database
        self._store = store
        self._schedule = schedule
        self._authorisations = authorisations
        self._clock = clock

    def create(
        self,
        tenant: TenantId,
        request: FundsConsentRequest,
        *,
        asked: MakingRequest | None = None,
        within: Connection | None = None,
    ) -> FundsConsent:
        """Receive a consent; `asked` again returns the one that it made. Raises `FormatError` where it asked for another."""
        with self._database.writing(within) as connection:
            now = self._clock.now(tenant, connection)
            first = None if asked is None else self._repeats.first(connection, asked)
            if first is not None:
                return require_funds_consent(self._store.find(connection, tenant, first), first).settled(now)
            consent = FundsConsent(
                id=ConsentId(new_uuid()),
                tenant=tenant,
                account=request.account,
                card=request.card,
                registration_information=request.registration_information,
                status=ConsentStatus.RECEIVED,
                psu=None,
                account_id=None,
                received_at=now,
            )
            self._store.add(connection, consent)
            due, kind = consent.received_at + AUTHORISATION_WINDOW, TaskKind.EXPIRE_FUNDS_CONSENT
            self._schedule.add(connection, tenant=tenant, kind=kind, resource=consent.id, due=due)
            if asked is not None:
                self._repeats.note(connection, asked, consent.id)
        return consent

    def consent(self, tenant: TenantId, consent_id: str, *, within: Connection | None = None) -> FundsConsent:
        """Return the TPP's consent as it stands now; raises `ConsentUnknown`."""
        with self._database.reading(within) as connection:
            found = require_funds_consent(self._store.find(connection, tenant, consent_id), consent_id)
            return found.settled(self._clock.now(tenant, connection))

    def terminate(self, tenant: TenantId, consent_id: str) -> None:
        """End a consent at the TPP's wish; a second time changes nothing. Raises `ConsentUnknown`, `IllegalMove`."""
        with self._database.writing() as connection:
            self._authorisations.end_open_of(connection, tenant=tenant, kind=ResourceKind.PIIS, resource=consent_id)
            now = self._clock.now(tenant, connection)
            found = require_funds_consent(self._store.find_locked(connection, tenant, consent_id), consent_id).settled(now)
            if found.status is not ConsentStatus.TERMINATED_BY_TPP:
                self._store.save(connection, found.moved(ConsentStatus.TERMINATED_BY_TPP))

    def consents_of(self, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None = None) -> ConsentPage[FundsConsent]:
        """Return a page of what the PSU has agreed to: what still stands first, then the newest."""
        with self._database.reading() as connection:
            found = self._store.of_psu(connection, tenant, psu, after=after, limit=PAGE_CONSENTS + 1)
            now = self._clock.now(tenant, connection)
        return page_of(found, lambda consent: consent.settled(now))

    def revoke_by_psu(self, tenant: TenantId, psu: PsuId, consent_id: str) -> FundsConsent:
        """End a consent at its PSU's wish; a second time changes nothing.

        Raises `ResourceUnknown` for one that this PSU has not given, `IllegalMove` for one that has ended otherwise.
        """
        with self._database.writing() as connection:
            found = self._store.find_locked(connection, tenant, consent_id)
            if found is None or found.psu != psu:
                raise ResourceUnknown(f"you have given no consent {consent_id[:40]!r}")
            if found.status is ConsentStatus.REVOKED_BY_PSU:
                return found
            revoked = found.moved(ConsentStatus.REVOKED_BY_PSU)
            self._store.save(connection, revoked)
            return revoked

    def expire(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Turn down what nobody has approved in time: the schedule's task."""
        found = self._store.find_locked(connection, tenant, resource)
        settled = None if found is None else found.settled(due)
        if settled is not None and found is not None and settled.status is not found.status:
            self._store.save(connection, settled)


def require_funds_consent(found: FundsConsent | None, consent_id: str) -> FundsConsent:
    """Raise `ConsentUnknown` for no consent: another TPP's is as unknown as one never made."""
    if found is None:
        raise ConsentUnknown(f"this TPP has no funds consent {consent_id[:40]!r}")
    return found


class FundsConfirmations:
    """Answers whether an account covers an amount, to whom the PSU allowed to ask."""

    def __init__(
        self,
        *,
        database: Database,
        store: FundsConsentStore,
        accounts: AccountsOfIban,
        ledger: Funds,
        rates: Rates,
        clock: TenantClock,
    ) -> None:
        """Judge by the consents in `store`, answer from `ledger`."""
        self._database = database
        self._store = store
        self._accounts = accounts
        self._ledger = ledger
        self._rates = rates
        self._clock = clock

    def is_covered(self, call: TppCall, *, consent_id: str, question: FundsQuestion) -> bool:
        """Tell whether the amount is there; raises `HeaderConsentUnknown`, `TokenInvalid`, `ConsentInvalid` and kin."""
        with self._database.reading() as connection:
            today = self._clock.now(call.tenant, connection).date()
            consent = self._store.find(connection, call.tenant, consent_id)
            account_id = _require_answerable(consent, call, consent_id=consent_id, question=question)
            addressed = self._addressed(connection, call.tenant, question) or account_id
            available = self._ledger.available(connection, call.tenant, addressed, today=today)
        return self._cost(question.amount, available.currency, today) <= available

    def _addressed(self, connection: Connection, tenant: TenantId, question: FundsQuestion) -> AccountId | None:
        """Return the sub-account that a currency chooses; without one it is the default account (BG IG §10.2)."""
        if question.account.currency is None:
            return None
        for account in self._accounts.of_iban(connection, tenant, question.account.iban):
            if account.currency == question.account.currency:
                return account.id
        raise NoPiisActivation(f"the account has no sub-account in {question.account.currency}", path="account.currency")

    def _cost(self, amount: Money, currency: str, today: date) -> Money:
        """Return what the amount takes of an account in this currency; raises `FormatError` where it isn't exchanged."""
        if amount.currency == currency:
            return amount
        try:
            return self._rates.exchange(source=currency, target=amount.currency, day=today).cost(amount)
        except NoRate:
            text = f"this bank exchanges no {amount.currency}: ask about an amount in {currency}"
            raise FormatError(text, path="instructedAmount.currency") from None


def _require_answerable(consent: FundsConsent | None, call: TppCall, *, consent_id: str, question: FundsQuestion) -> AccountId:
    """Return the account to look at, once consent, token, account and card all fit together."""
    if consent is None:
        raise HeaderConsentUnknown(f"this TPP has no funds consent {consent_id[:40]!r}", path="Consent-ID")
    if not call.is_granted(f"PIIS:{consent.id}"):
        text = "the access token was granted for another consent: present the token of the consent in Consent-ID"
        raise TokenInvalid(text, path="Consent-ID")
    if consent.status is not ConsentStatus.VALID or consent.account_id is None:
        raise ConsentInvalid(f"the consent is {consent.status}, and only a valid one lets you ask")
    if call.subject is not None and call.subject != consent.psu:
        raise TokenInvalid("the access token is another PSU's than the consent")
    if not _is_same_account(consent, question):
        raise NoPiisActivation("the consent is for another account than the one asked about", path="account.iban")
    if question.card_number and consent.card.number and question.card_number != consent.card.number:
        raise CardInvalid("the consent is for another card than the one asked about", path="cardNumber")
    return consent.account_id


def _is_same_account(consent: FundsConsent, question: FundsQuestion) -> bool:
    currencies = {consent.account.currency, question.account.currency} - {None}
    return consent.account.iban == question.account.iban and len(currencies) <= 1

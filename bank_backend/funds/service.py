"""Funds consents from receipt to their end, and the yes or no they allow (XS2A-COFC 2.0; BG IG 1.3.8 §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.model import ConsentStatus
from bank_backend.errors import (
    CardInvalid,
    ConsentInvalid,
    ConsentUnknown,
    FormatError,
    HeaderConsentUnknown,
    NoPiisActivation,
    TokenInvalid,
)
from bank_backend.funds.model import FundsConsent
from psd2.ids import ConsentId, new_uuid

if TYPE_CHECKING:
    from datetime import date

    from bank_backend.authorisations.model import Authorisation
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection, Database
    from bank_backend.funds.wire import FundsConsentRequest, FundsQuestion
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import AccountId, TenantId
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


class Funds(Protocol):
    """The part of the ledger that confirmations need."""

    def available(self, connection: Connection, tenant: TenantId, account_id: AccountId, *, today: date) -> Money:
        """Return what can be spent now."""


class FundsConsents:
    """What card issuers do with funds consents; approving them is `funds.approval`'s."""

    def __init__(
        self, *, database: Database, store: FundsConsentStore, authorisations: Authorisations, clock: TenantClock
    ) -> None:
        """Keep consents in `store`, in transactions of `database`."""
        self._database = database
        self._store = store
        self._authorisations = authorisations
        self._clock = clock

    def create(
        self, tenant: TenantId, request: FundsConsentRequest, *, start_authorisation: bool
    ) -> tuple[FundsConsent, Authorisation | None]:
        """Receive a consent; its authorisation is started along with it unless the TPP prefers to start it itself."""
        now = self._clock.now(tenant)
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
        with self._database.writing() as connection:
            self._store.add(connection, consent)
            if not start_authorisation:
                return consent, None
            return consent, self._authorisations.start(
                connection, tenant=tenant, kind=ResourceKind.PIIS, resource=consent.id, now=now
            )

    def consent(self, tenant: TenantId, consent_id: str) -> FundsConsent:
        """Return the TPP's consent as it stands now; raises `ConsentUnknown`."""
        with self._database.reading() as connection:
            found = self._store.find(connection, tenant, consent_id)
        return require_funds_consent(found, consent_id).settled(self._clock.now(tenant))

    def terminate(self, tenant: TenantId, consent_id: str) -> None:
        """End a consent at the TPP's wish; a second time changes nothing. Raises `ConsentUnknown`, `IllegalMove`."""
        now = self._clock.now(tenant)
        with self._database.writing() as connection:
            found = require_funds_consent(self._store.find_locked(connection, tenant, consent_id), consent_id).settled(now)
            if found.status is not ConsentStatus.TERMINATED_BY_TPP:
                self._store.save(connection, found.moved(ConsentStatus.TERMINATED_BY_TPP))


def require_funds_consent(found: FundsConsent | None, consent_id: str) -> FundsConsent:
    """Raise `ConsentUnknown` for no consent: another TPP's is as unknown as one never made."""
    if found is None:
        raise ConsentUnknown(f"this TPP has no funds consent {consent_id[:40]!r}")
    return found


class FundsConfirmations:
    """Answers whether an account covers an amount, to whom the PSU allowed to ask."""

    def __init__(self, *, database: Database, store: FundsConsentStore, ledger: Funds, clock: TenantClock) -> None:
        """Judge by the consents in `store`, answer from `ledger`."""
        self._database = database
        self._store = store
        self._ledger = ledger
        self._clock = clock

    def is_covered(self, call: TppCall, *, consent_id: str, question: FundsQuestion) -> bool:
        """Tell whether the amount is there; raises `HeaderConsentUnknown`, `TokenInvalid`, `ConsentInvalid` and kin."""
        now = self._clock.now(call.tenant)
        with self._database.reading() as connection:
            consent = self._store.find(connection, call.tenant, consent_id)
            account_id = _require_answerable(consent, call, consent_id=consent_id, question=question)
            available = self._ledger.available(connection, call.tenant, account_id, today=now.date())
        if available.currency != question.amount.currency:
            text = f"the account is kept in {available.currency}, and the question is about {question.amount.currency}"
            raise FormatError(text, path="instructedAmount.currency")
        return question.amount <= available


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

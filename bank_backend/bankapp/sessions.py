"""Signing in to the bank app: a secret for the browser, which ends after five idle minutes (RTS 2018/389 Art. 4 (3)(d))."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.bankapp.errors import BankNotFound, NotSignedIn
from bank_backend.bankapp.model import MOST_AGE, AppSession, SignedIn
from psd2.ids import new_secret

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.psus.model import Psu
    from bank_backend.tenants.model import Tenant
    from psd2.clock import Clock
    from psd2.ids import TenantId

# A session that is used is noted no more often than this: a page that is looked at does not write every time.
_NOTED_EVERY: Final = timedelta(seconds=15)


class SessionStore(Protocol):
    """Where sessions are kept."""

    def add(self, session: AppSession, *, forget_before: datetime) -> None:
        """Write a new session, and forget those that nobody has used since a time."""

    def find(self, digest: str) -> AppSession | None:
        """Return the session, or None."""

    def touch(self, digest: str, *, at: datetime) -> None:
        """Note that the session is used."""

    def remove(self, digest: str) -> None:
        """End a session."""

    def banks_named(self, text: str) -> list[TenantId]:
        """Return the tenants of this authorisation number or name; two at most."""


class Customers(Protocol):
    """The PSUs of every tenant."""

    def psu(self, tenant: TenantId, login: str) -> Psu | None:
        """Return the PSU of this login, or None."""

    def verify_password(self, tenant: TenantId, login: str, password: str) -> Psu:
        """Return the PSU whose password this is; raises `PsuCredentialsInvalid` or `PsuLocked`."""


class Banks(Protocol):
    """Each TPP's own bank."""

    def tenant(self, tenant: TenantId) -> Tenant:
        """Return a tenant."""


class AppSessions:
    """Who has signed in with which browser. Browsers know no tenant's clock: sessions go by the real time."""

    def __init__(self, *, store: SessionStore, customers: Customers, banks: Banks, clock: Clock) -> None:
        """Keep sessions in `store`."""
        self._store = store
        self._customers = customers
        self._banks = banks
        self._clock = clock

    def bank(self, text: str) -> Tenant:
        """Return the bank of the TPP that goes by this number or name; raises `BankNotFound`."""
        found = self._store.banks_named(text.strip()[:140])
        if len(found) > 1:
            raise BankNotFound("several companies go by this name: enter the authorisation number")
        if not found:
            raise BankNotFound("no registered company goes by this name or authorisation number")
        return self._banks.tenant(found[0])

    def sign_in(self, tenant: TenantId, login: str, password: str) -> str:
        """Return the secret that the browser has to keep; raises `PsuCredentialsInvalid`, `PsuLocked`."""
        psu = self._customers.verify_password(tenant, login, password)
        secret, now = new_secret(), self._clock.now()
        session = AppSession(digest=_digest(secret), tenant=tenant, psu=psu.id, opened_at=now, active_at=now)
        self._store.add(session, forget_before=now - MOST_AGE)
        return secret

    def signed_in(self, secret: str, *, is_activity: bool) -> SignedIn:
        """Return who has signed in with this browser; raises `NotSignedIn`. What a page does by itself is no activity."""
        now = self._clock.now()
        session = self._store.find(_digest(secret))
        if session is None or session.is_over(now):
            raise NotSignedIn("you have not signed in to the bank app, or not used it for five minutes")
        psu = self._customers.psu(session.tenant, session.psu)
        if psu is None:
            raise NotSignedIn("this customer is not there any more")
        if is_activity and now >= session.active_at + _NOTED_EVERY:
            self._store.touch(session.digest, at=now)
        return SignedIn(psu, self._banks.tenant(session.tenant))

    def sign_out(self, secret: str) -> None:
        """End the browser's session."""
        self._store.remove(_digest(secret))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

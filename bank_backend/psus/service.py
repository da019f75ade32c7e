"""Finding PSUs and checking their passwords: Argon2id (RFC 9106), locked for a while after five failures in a row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bank_backend.errors import PsuCredentialsInvalid, PsuLocked, TooManySignIns
from bank_backend.psus.passwords import DECOY_HASH, is_password
from chassis.serving.turnstile import TooBusy

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.database import Connection
    from bank_backend.psus.model import Credentials, Psu
    from bank_backend.tenants.clock import TenantClock
    from chassis.serving.turnstile import Turnstile
    from psd2.ids import TenantId

MOST_FAILURES = 5
LOCK = timedelta(minutes=15)
# The same words for an unknown login and a wrong password: the answer tells nobody who banks here.
_WRONG = "user name or password is wrong: check both; the sandbox lists its personas and their passwords"


class PsuStore(Protocol):
    """Where PSUs and their failures are kept."""

    def find(self, tenant: TenantId, login: str, connection: Connection | None = None) -> Psu | None:
        """Return the PSU, or None; inside a transaction pass its connection."""

    def credentials(self, tenant: TenantId, login: str) -> Credentials | None:
        """Return what a password is checked with, or None."""

    def note_failure(self, tenant: TenantId, login: str, *, locked_from: int, locked_until: datetime) -> None:
        """Count one failure more, atomically; at `locked_from` of them start over and lock until `locked_until`."""

    def note_success(self, tenant: TenantId, login: str) -> None:
        """Forget the failures."""


class PsuDirectory:
    """The PSUs of every tenant; each question names the tenant it is about."""

    def __init__(self, *, store: PsuStore, clock: TenantClock, gate: Turnstile) -> None:
        """Look into `store`; locks end by `clock`, and passwords are hashed behind `gate`."""
        self._store = store
        self._clock = clock
        self._gate = gate

    def psu(self, tenant: TenantId, login: str, connection: Connection | None = None) -> Psu | None:
        """Return the PSU of this login, or None; inside a transaction pass its connection."""
        return self._store.find(tenant, login, connection)

    def verify_password(self, tenant: TenantId, login: str, password: str) -> Psu:
        """Return the PSU whose password this is.

        Raises `PsuCredentialsInvalid`, `PsuLocked` after five failures, and `TooManySignIns` where others fill the bank.
        """
        credentials = self._store.credentials(tenant, login)
        if credentials is None:
            self._is_password(password, DECOY_HASH)  # as slow as a wrong password
            raise PsuCredentialsInvalid(_WRONG)
        self._require_unlocked(tenant, credentials)
        if not self._is_password(password, credentials.password_hash):
            until = self._clock.now(tenant) + LOCK
            self._store.note_failure(tenant, login, locked_from=MOST_FAILURES, locked_until=until)
            raise PsuCredentialsInvalid(_WRONG)
        # Guesses made side by side are one another's failures: what has locked meanwhile locks this one too.
        self._require_unlocked(tenant, self._store.credentials(tenant, login) or credentials)
        if credentials.failures:
            self._store.note_success(tenant, login)
        return credentials.psu

    def _is_password(self, password: str, known: str) -> bool:
        try:
            with self._gate.passage():
                return is_password(password, known)
        except TooBusy:
            raise TooManySignIns from None

    def _require_unlocked(self, tenant: TenantId, credentials: Credentials) -> None:
        until = credentials.locked_until
        if until is not None and self._clock.now(tenant) < until:
            text = f"locked after {MOST_FAILURES} wrong passwords in a row: try again after {until:%H:%M} UTC"
            raise PsuLocked(text)

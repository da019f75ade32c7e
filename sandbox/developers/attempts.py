"""How often something may be tried: counted in windows of fixed length, which end whatever happens meanwhile.

A window that refusals prolonged would let a stranger lock a person out for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sandbox.developers.errors import TooManyAttempts

if TYPE_CHECKING:
    from psd2.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `most` in `window_seconds`; `what` is told to the person."""

    kind: str
    most: int
    window_seconds: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many there were in the running window, this one included, and when it ends."""

    count: int
    window_ends_at: float


class AttemptStore(Protocol):
    """Counts, for all replicas together."""

    def count(self, kind: str, subject: str, *, now: float, window_seconds: float) -> Counted:
        """Count one more; begin a window where none runs."""

    def take_back(self, kind: str, subject: str) -> None:
        """Count one less."""

    def forget(self, kind: str, subject: str) -> None:
        """Begin anew."""

    def prune(self, *, now: float) -> None:
        """Drop windows that are over."""


_FAILURES, _HOUR_SECONDS = "failed attempts to sign in", 3_600.0
# Guessing from one place; guessing from everywhere (NIST SP 800-63B §3.2.2: at most 100); one place trying many accounts.
FROM_ONE_ADDRESS: Final = Limit(kind="sign-in:account-and-address", most=10, window_seconds=900, what=_FAILURES)
FROM_ANYWHERE: Final = Limit(kind="sign-in:account", most=100, window_seconds=3_600, what=_FAILURES)
BY_ONE_ADDRESS: Final = Limit(kind="sign-in:address", most=50, window_seconds=900, what=_FAILURES)


def registrations_from_one_address(most: int) -> Limit:
    """Return the limit of TPPs registered over the network: each makes a bank of its own, and nobody has to sign in for it."""
    return Limit(kind="register:address", most=most, window_seconds=_HOUR_SECONDS, what="TPPs registered from here")


class SignInLimits:
    """Judges failed attempts to sign in. An attempt is counted before it is judged, so that many at once don't slip through."""

    def __init__(self, store: AttemptStore, clock: Clock) -> None:
        """Count in this store."""
        self._store = store
        self._clock = clock

    def spend(self, account: str, address: str, *, is_known_address: bool) -> None:
        """Count one attempt; raises `TooManyAttempts`.

        The limit over all addresses does not hold for one from which the person has signed in before: strangers elsewhere
        can't keep it out.
        """
        spend(self._store, self._clock, BY_ONE_ADDRESS, address)
        spend(self._store, self._clock, FROM_ONE_ADDRESS, _both(account, address))
        if not is_known_address:
            spend(self._store, self._clock, FROM_ANYWHERE, account)

    def settle(self, account: str, address: str) -> None:
        """Note that the attempt was right: the account's count begins anew, the address's loses this one only.

        Whoever owns one account must not be able to clear its address for guessing others.
        """
        self._store.take_back(BY_ONE_ADDRESS.kind, address)
        self._store.forget(FROM_ONE_ADDRESS.kind, _both(account, address))
        self._store.forget(FROM_ANYWHERE.kind, account)


class Quota:
    """One limit, counted for each subject."""

    def __init__(self, limit: Limit, *, store: AttemptStore, clock: Clock) -> None:
        """Count in this store."""
        self._limit = limit
        self._store = store
        self._clock = clock

    def spend(self, subject: str) -> None:
        """Count one; raises `TooManyAttempts`."""
        spend(self._store, self._clock, self._limit, subject)


def spend(store: AttemptStore, clock: Clock, limit: Limit, subject: str) -> None:
    """Count one under a limit; raises `TooManyAttempts`."""
    now = clock.now().timestamp()
    counted = store.count(limit.kind, subject, now=now, window_seconds=limit.window_seconds)
    if counted.count > limit.most:
        raise TooManyAttempts(limit.what, retry_at=counted.window_ends_at, now=now)


def _both(account: str, address: str) -> str:
    return f"{address} {account}"

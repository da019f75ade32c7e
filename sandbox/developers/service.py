"""Signing up, signing in, and the sessions that come of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from psd2.ids import new_secret, new_uuid
from sandbox.developers.attempts import Limit, SignInLimits, spend
from sandbox.developers.errors import AccountDisabled, FieldRefused, UnknownDeveloper, WrongCredentials
from sandbox.developers.model import (
    LIFETIME_SECONDS,
    LONGEST_USER_AGENT,
    Developer,
    Organisation,
    Origin,
    PortalSession,
    Visitor,
)
from sandbox.developers.parsing import email_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psd2.clock import Clock
    from sandbox.developers.attempts import AttemptStore
    from sandbox.developers.passwords import PasswordHasher

_MOST_TOKEN_CHARACTERS: Final = 128
# Noting each request would write to the database for each; to the minute is as exact as a person wants to know.
_SEEN_AGAIN_SECONDS: Final = 60.0
# Ended sessions stay as long: they tell from which addresses somebody is known.
KEPT_SECONDS: Final = 30 * 86_400
_SIGN_UP_WINDOW_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """Who wants an account, checked by `parsing` and `passwords`: for an organisation of its own, or invited to another's."""

    email: str
    name: str
    password: str = field(repr=False)
    organisation: str | None
    invitation: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A developer and the hash of its password."""

    developer: Developer
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session; the token goes to the browser and is kept nowhere here."""

    developer: Developer
    token: str = field(repr=False)


class DeveloperStore(Protocol):
    """Keeps accounts and sessions."""

    def add(self, developer: Developer, organisation: Organisation, password_hash: str) -> bool:
        """Take somebody in with an organisation of its own; return False, and change nothing, where the address is taken."""

    def add_invited(self, developer: Developer, invitation_key: str, password_hash: str) -> bool:
        """Take somebody in as an invitation says, and use that up; as `add`, and raises `UnknownInvitation`."""

    def all(self) -> list[tuple[Developer, Organisation]]:
        """Return everybody, by address."""

    def credentials(self, email_key: str) -> Credentials | None:
        """Return whose address this is."""

    def rename(self, developer_id: str, name: str) -> None:
        """Give a developer another name."""

    def set_operator(self, developer_id: str, *, is_operator: bool) -> None:
        """Make somebody an operator, or no longer one."""

    def set_disabled(self, developer_id: str, disabled_at: float | None) -> bool:
        """Keep somebody out from then on, or let it in again; return whether there is such a developer."""

    def set_password_hash(self, developer_id: str, password_hash: str, *, instead_of: str | None = None) -> None:
        """Keep another hash; where `instead_of` is given, only if that one still stands."""

    def start_session(self, session: PortalSession, *, password_hash: str) -> bool:
        """Keep a new session while this hash stands; return False, and keep none, where the password has been changed."""

    def visitor(self, session_key: str) -> Visitor | None:
        """Return the session of this key with whom it is, open or not."""

    def note_seen(self, session_key: str, at: float) -> None:
        """Note when a session was used last."""

    def end_session(self, developer_id: str, session_key: str, at: float) -> bool:
        """End one of a developer's sessions; return whether it was open."""

    def end_sessions(self, developer_id: str, at: float, *, except_key: str | None = None) -> int:
        """End a developer's sessions, all but one; return how many."""

    def sessions(self, developer_id: str) -> list[PortalSession]:
        """Return a developer's sessions that nobody has ended, those used last first."""

    def has_been_at(self, developer_id: str, address: str) -> bool:
        """Answer whether a developer has signed in from this address."""

    def prune_sessions(self, *, expired_before: float) -> None:
        """Drop sessions that were over by then."""


class Developers:
    """The accounts of this portal."""

    def __init__(
        self,
        *,
        store: DeveloperStore,
        attempts: AttemptStore,
        hasher: PasswordHasher,
        clock: Clock,
        sign_ups_per_hour: int,
    ) -> None:
        """Work with these."""
        self._store = store
        self._attempts = attempts
        self._limits = SignInLimits(attempts, clock)
        self._hasher = hasher
        self._clock = clock
        self._sign_up_limit = Limit(
            kind="sign-up:address",
            most=sign_ups_per_hour,
            window_seconds=_SIGN_UP_WINDOW_SECONDS,
            what="accounts made from here",
        )

    def sign_up(self, wanted: SignUp, origin: Origin) -> None:
        """Make an account; where the address has one already nothing happens, and nobody learns of it.

        Raises `TooManyAttempts`, `UnknownInvitation`.
        """
        spend(self._attempts, self._clock, self._sign_up_limit, origin.address)
        password_hash = self._hasher.hashed(wanted.password)  # in both cases, so that both take the same time
        now = self._now()
        organisation = Organisation(id=new_uuid(), name=wanted.organisation or wanted.name, created_at=now)
        developer = _developer(wanted, organisation, now)
        if wanted.invitation is None:
            self._store.add(developer, organisation, password_hash)
        else:
            self._store.add_invited(developer, session_key(wanted.invitation), password_hash)

    def sign_in(self, email: str, password: str, origin: Origin) -> SignedIn:
        """Begin a session; raises `WrongCredentials`, `TooManyAttempts`. Costs the same whether the address is known or not."""
        account = email_key(email)
        found = self._store.credentials(account)
        self._require_password(account, found, password, origin)
        if found is None:  # told to the type checker: without an account no password is right
            raise WrongCredentials
        if found.developer.disabled_at is not None:  # told to whoever knows the password, and to nobody else
            raise AccountDisabled
        token = self._begin_session(found, origin)
        if self._hasher.is_outdated(found.password_hash):
            fresh = self._hasher.hashed(password)
            self._store.set_password_hash(found.developer.id, fresh, instead_of=found.password_hash)
        return SignedIn(developer=found.developer, token=token)

    def visitor(self, token: str) -> Visitor | None:
        """Return who holds this token, while the session is open."""
        if not 0 < len(token) <= _MOST_TOKEN_CHARACTERS:
            return None
        found, now = self._store.visitor(session_key(token)), self._now()
        if found is None or not found.session.is_open(now) or found.developer.disabled_at is not None:
            return None
        if now - found.session.last_seen_at >= _SEEN_AGAIN_SECONDS:
            self._store.note_seen(found.session.key, now)
        return found

    def sign_out(self, visitor: Visitor) -> None:
        """End the visitor's own session."""
        self._store.end_session(visitor.developer.id, visitor.session.key, self._now())

    def sessions(self, visitor: Visitor) -> list[PortalSession]:
        """Return the visitor's open sessions, those used last first."""
        now = self._now()
        return [session for session in self._store.sessions(visitor.developer.id) if session.is_open(now)]

    def end_session(self, visitor: Visitor, key: str) -> bool:
        """End one of the visitor's sessions; another's is left alone. Return whether there was one."""
        return self._store.end_session(visitor.developer.id, key, self._now())

    def end_other_sessions(self, visitor: Visitor) -> int:
        """End all the visitor's sessions but this one; return how many."""
        return self._store.end_sessions(visitor.developer.id, self._now(), except_key=visitor.session.key)

    def rename(self, visitor: Visitor, name: str) -> None:
        """Give the visitor another name."""
        self._store.rename(visitor.developer.id, name)

    def change_password(self, visitor: Visitor, current: str, new: str, origin: Origin) -> None:
        """Take another password and end all other sessions; raises `FieldRefused`, `TooManyAttempts`."""
        account = email_key(visitor.developer.email)
        try:
            self._require_password(account, self._store.credentials(account), current, origin)
        except WrongCredentials as error:
            raise FieldRefused("current", "This is not your password.") from error
        self._store.set_password_hash(visitor.developer.id, self._hasher.hashed(new))
        self.end_other_sessions(visitor)

    def all(self) -> Sequence[tuple[Developer, Organisation]]:
        """Return everybody, by address; for the operator."""
        return self._store.all()

    def set_operator(self, email: str, *, is_operator: bool) -> Developer:
        """Make somebody an operator or no longer one; raises `UnknownDeveloper`."""
        developer = self._require(email)
        self._store.set_operator(developer.id, is_operator=is_operator)
        return developer

    def set_disabled(self, developer_id: str, *, is_disabled: bool) -> None:
        """Keep a developer out and end all its sessions, or let it in again; raises `UnknownDeveloper`."""
        now = self._now()
        if not self._store.set_disabled(developer_id, now if is_disabled else None):
            raise UnknownDeveloper(developer_id)
        if is_disabled:
            self._store.end_sessions(developer_id, now)

    def end_sessions_of(self, developer_id: str) -> int:
        """End all sessions of a developer; return how many."""
        return self._store.end_sessions(developer_id, self._now())

    def set_password(self, email: str, password: str) -> int:
        """Set a password that was forgotten; return how many sessions ended with it. Raises `UnknownDeveloper`."""
        developer = self._require(email)
        self._store.set_password_hash(developer.id, self._hasher.hashed(password))
        return self._store.end_sessions(developer.id, self._now())

    def prune(self) -> None:
        """Drop what is over: windows of attempts, and sessions after their time."""
        now = self._now()
        self._attempts.prune(now=now)
        self._store.prune_sessions(expired_before=now - KEPT_SECONDS)

    def _require_password(self, account: str, found: Credentials | None, password: str, origin: Origin) -> None:
        # Asked of nobody too: an unknown address costs the same.
        is_known = self._store.has_been_at(found.developer.id if found else "", origin.address)
        self._limits.spend(account, origin.address, is_known_address=is_known)
        if not self._hasher.is_right(password, found.password_hash if found else None):
            raise WrongCredentials
        self._limits.settle(account, origin.address)

    def _begin_session(self, of: Credentials, origin: Origin) -> str:
        """Return the token of a new session; raises `WrongCredentials` where the password was changed while it was judged."""
        token, now = new_secret(), self._now()
        session = PortalSession(
            key=session_key(token),
            developer_id=of.developer.id,
            started_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME_SECONDS,
            origin=Origin(address=origin.address, user_agent=origin.user_agent[:LONGEST_USER_AGENT]),
        )
        if not self._store.start_session(session, password_hash=of.password_hash):
            raise WrongCredentials
        return token

    def _require(self, email: str) -> Developer:
        found = self._store.credentials(email_key(email))
        if found is None:
            raise UnknownDeveloper(email)
        return found.developer

    def _now(self) -> float:
        return self._clock.now().timestamp()


def session_key(token: str) -> str:
    """Return what stands in the database for a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _developer(wanted: SignUp, organisation: Organisation, now: float) -> Developer:
    return Developer(
        id=new_uuid(),
        email=wanted.email,
        name=wanted.name,
        organisation_id=organisation.id,
        is_operator=False,
        created_at=now,
    )

"""Organisations: their name, who belongs to them, and how one joins and leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from psd2.ids import new_secret, new_uuid
from sandbox.developers.errors import MembershipRefused, UnknownInvitation
from sandbox.developers.model import INVITATION_SECONDS, Invitation, Organisation
from sandbox.developers.service import session_key

if TYPE_CHECKING:
    from psd2.clock import Clock
    from sandbox.developers.model import Developer, Visitor

MOST_OPEN_INVITATIONS: Final = 20
_MOST_SECRET_CHARACTERS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What an invitation tells whoever opens it."""

    organisation: Organisation
    invited_by: str


class OrganisationStore(Protocol):
    """Keeps organisations and invitations."""

    def rename(self, organisation_id: str, name: str) -> None:
        """Give an organisation another name."""

    def members(self, organisation_id: str) -> list[Developer]:
        """Return who belongs to it, by name."""

    def invite(self, invitation: Invitation, *, most_open: int) -> bool:
        """Keep an invitation; return False, and keep none, where as many are open."""

    def invitations(self, organisation_id: str, *, now: float) -> list[tuple[Invitation, str]]:
        """Return the open ones with the name of who invited, the newest first."""

    def withdraw(self, organisation_id: str, key: str) -> bool:
        """Withdraw an organisation's invitation; return whether there was one."""

    def welcome(self, key: str, *, now: float) -> Welcome | None:
        """Return what an open invitation tells."""

    def join(self, developer: Developer, key: str, *, now: float) -> None:
        """Use up an invitation and move somebody; raises `UnknownInvitation`, `MembershipRefused`."""

    def found(self, developer: Developer, organisation: Organisation) -> None:
        """Make an organisation and move somebody there; raises `MembershipRefused`."""

    def prune_invitations(self, *, now: float) -> None:
        """Drop invitations that have expired or were used."""


class Organisations:
    """The organisations of this portal."""

    def __init__(self, store: OrganisationStore, clock: Clock) -> None:
        """Work with this store."""
        self._store = store
        self._clock = clock

    def rename(self, visitor: Visitor, name: str) -> None:
        """Give the visitor's organisation another name; certificates and TPPs keep theirs."""
        self._store.rename(visitor.organisation.id, name)

    def members(self, visitor: Visitor) -> list[Developer]:
        """Return who belongs to the visitor's organisation, by name."""
        return self._store.members(visitor.organisation.id)

    def invite(self, visitor: Visitor) -> str:
        """Return the secret of a new invitation, which is kept nowhere here; raises `MembershipRefused`."""
        secret, now = new_secret(), self._now()
        invitation = Invitation(
            key=session_key(secret),
            organisation_id=visitor.organisation.id,
            invited_by=visitor.developer.id,
            created_at=now,
            expires_at=now + INVITATION_SECONDS,
        )
        if not self._store.invite(invitation, most_open=MOST_OPEN_INVITATIONS):
            raise MembershipRefused(f"{MOST_OPEN_INVITATIONS} invitations are open, which is the most: withdraw one first.")
        return secret

    def invitations(self, visitor: Visitor) -> list[tuple[Invitation, str]]:
        """Return the open invitations of the visitor's organisation, each with the name of who made it."""
        return self._store.invitations(visitor.organisation.id, now=self._now())

    def withdraw(self, visitor: Visitor, key: str) -> bool:
        """Withdraw one of the organisation's invitations; another's is left alone. Return whether there was one."""
        return self._store.withdraw(visitor.organisation.id, key)

    def welcome(self, secret: str) -> Welcome:
        """Return what an invitation tells; raises `UnknownInvitation`."""
        found = self._store.welcome(_key(secret), now=self._now())
        if found is None:
            raise UnknownInvitation
        return found

    def join(self, visitor: Visitor, secret: str) -> Welcome:
        """Let the visitor join, and leave where it was; raises `UnknownInvitation`, `MembershipRefused`."""
        welcome = self.welcome(secret)
        if welcome.organisation.id == visitor.organisation.id:
            raise MembershipRefused(f"You belong to {welcome.organisation.name} already. Pass the link on to a colleague.")
        self._store.join(visitor.developer, _key(secret), now=self._now())
        return welcome

    def leave(self, visitor: Visitor, new_name: str) -> None:
        """Let the visitor leave for an organisation of its own; raises `MembershipRefused`."""
        organisation = Organisation(id=new_uuid(), name=new_name, created_at=self._now())
        self._store.found(visitor.developer, organisation)

    def prune(self) -> None:
        """Drop invitations that are over."""
        self._store.prune_invitations(now=self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _key(secret: str) -> str:
    if not 0 < len(secret) <= _MOST_SECRET_CHARACTERS:
        raise UnknownInvitation
    return session_key(secret)

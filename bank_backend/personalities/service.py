"""Which personality a tenant's bank has, now: a change is in force with the next request, in every process."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.errors import BankError, FormatError, TenantUnknown
from psd2.tpp_messages import MessageCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_backend.database import Connection
    from bank_backend.personalities.model import Personality
    from psd2.ids import TenantId


# The one of the request in hand: read once for it, so that a request is answered by one bank from its first check to its last.
_IN_HAND: Final[ContextVar[tuple[Personalities, TenantId, Personality] | None]] = ContextVar("personality", default=None)


class PersonalityGone(BankError):
    """The tenant's personality is none that the bank knows any more (500): guessing another could open what it closed."""

    code = MessageCode.INTERNAL_SERVER_ERROR
    problem_code = "personality.gone"
    title = "The bank's personality is gone"


class PersonalityStore(Protocol):
    """Where it is kept whose bank is which."""

    def name_of(self, tenant: TenantId, connection: Connection | None) -> str | None:
        """Return the name of the tenant's personality, None without such a tenant."""

    def put(self, tenant: TenantId, name: str) -> bool:
        """Keep the name; False without such a tenant."""


class Personalities:
    """The personalities that there are, and whose bank has which."""

    def __init__(self, *, store: PersonalityStore, known: Mapping[str, Personality]) -> None:
        """Choose among `known`."""
        self._store = store
        self._known = known

    def of(self, tenant: TenantId, connection: Connection | None = None) -> Personality:
        """Return the tenant's; inside a transaction, pass its connection. Raises `TenantUnknown`, `PersonalityGone`."""
        in_hand = _IN_HAND.get()
        if in_hand is not None and in_hand[0] is self and in_hand[1] == tenant:
            return in_hand[2]
        name = self._name_of(tenant, connection)
        personality = self._known.get(name)
        if personality is None:
            text = f"the personality {name!r} of this bank is not there any more: choose another at PUT /sandbox/v1/personality"
            raise PersonalityGone(text)
        return personality

    def begin_request(self, tenant: TenantId) -> Personality:
        """Return the tenant's as it is now, and go by it until `end_request`; raises as `of`."""
        self.end_request()
        personality = self.of(tenant)
        _IN_HAND.set((self, tenant, personality))
        return personality

    def end_request(self) -> None:
        """Look again from now on."""
        _IN_HAND.set(None)

    def name_of(self, tenant: TenantId) -> str:
        """Return the name of the tenant's, also of one that is gone; raises `TenantUnknown`."""
        return self._name_of(tenant, None)

    def every(self) -> Sequence[Personality]:
        """Return all that can be chosen, in the order in which they are shown."""
        return tuple(self._known.values())

    def named(self, name: str) -> Personality:
        """Return the one of this name; raises `FormatError`."""
        try:
            return self._known[name]
        except KeyError:
            text = f"there is no personality {name[:40]!r}: choose one of {', '.join(self._known)}"
            raise FormatError(text, path="personality") from None

    def choose(self, tenant: TenantId, name: str) -> Personality:
        """Give the tenant's bank another personality; raises `FormatError`, `TenantUnknown`."""
        personality = self.named(name)
        if not self._store.put(tenant, name):
            raise _unknown(tenant)
        return personality

    def _name_of(self, tenant: TenantId, connection: Connection | None) -> str:
        name = self._store.name_of(tenant, connection)
        if name is None:
            raise _unknown(tenant)
        return name


def _unknown(tenant: TenantId) -> TenantUnknown:
    return TenantUnknown(f"no tenant {tenant[:80]!r} is registered: register the TPP first")

"""The bank's tenants as the register sees them (architecture §3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused, require_accepted
from sandbox.tenants.documents import accounts_of, book_of, messages_of, personas_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from chassis.peers import PeerSession
    from psd2.authorisation_number import AuthorisationNumber
    from sandbox.tenants.model import AccountBook, BookedAccount, Message, Persona
    from sandbox.tpps.model import Tpp

_PEER = "bank"
_REFUSALS_OF_WHAT_WAS_ASKED = frozenset({400, 404, 422})
_Read = TypeVar("_Read")
# Making a tenant seeds 13 months of transactions.
_SEED_SECONDS = (2.0, 30.0)


class Bank(Protocol):
    """What this side tells the bank; each call raises `PeerUnavailable` or `PeerRefused`."""

    def put_tenant(self, tpp: Tpp) -> list[dict[str, Any]]:
        """Make the TPP's tenant unless it exists, and return its personas; safe to repeat."""


class UnknownBook(LookupError):
    """No account of this tenant has this id, or no page of it is called so."""


class TenantData(Protocol):
    """What the portal shows of a TPP's tenant; each call raises `PeerUnavailable` or `PeerRefused`."""

    def personas(self, number: AuthorisationNumber) -> tuple[Persona, ...]:
        """Return who lives there, with what to log in."""

    def accounts(self, number: AuthorisationNumber) -> tuple[BookedAccount, ...]:
        """Return their accounts with balances, each once."""

    def book(self, number: AuthorisationNumber, account_id: str, *, page: str | None) -> AccountBook:
        """Return a page of an account's movements; raises `UnknownBook` too."""

    def inbox(self, number: AuthorisationNumber, *, psu: str | None) -> tuple[Message, ...]:
        """Return the newest messages to one persona or to all, newest first."""


class BankOverTheWire:
    """The real one."""

    def __init__(self, session: PeerSession) -> None:
        """Call over this session."""
        self._session = session

    def put_tenant(self, tpp: Tpp) -> list[dict[str, Any]]:
        """Make the TPP's tenant unless it exists, and return its personas; safe to repeat."""
        number = tpp.authorisation_number
        body: dict[str, object] = {
            "name": tpp.organisation,
            "country": number.country,
            "roles": sorted(tpp.roles),
            "redirect_uris": list(tpp.redirect_uris),
        }
        if tpp.seed is not None:
            body["seed"] = tpp.seed
        document = require_accepted(_PEER, self._session.put(_path(number), json=body, timeout=_SEED_SECONDS))
        personas: list[dict[str, Any]] = document.get("personas", [])
        return personas

    def personas(self, number: AuthorisationNumber) -> tuple[Persona, ...]:
        """Return who lives there, with what to log in."""
        return self._read(_path(number), personas_of)

    def accounts(self, number: AuthorisationNumber) -> tuple[BookedAccount, ...]:
        """Return their accounts with balances, each once."""
        return self._read(f"{_path(number)}/accounts", accounts_of)

    def book(self, number: AuthorisationNumber, account_id: str, *, page: str | None) -> AccountBook:
        """Return a page of an account's movements; raises `UnknownBook` too."""
        path = f"{_path(number)}/accounts/{quote(account_id, safe='')}/transactions"
        try:
            return self._read(path, book_of, page=page)
        except PeerRefused as refusal:
            if refusal.status in _REFUSALS_OF_WHAT_WAS_ASKED:
                raise UnknownBook(account_id[:80]) from refusal
            raise

    def inbox(self, number: AuthorisationNumber, *, psu: str | None) -> tuple[Message, ...]:
        """Return the newest messages to one persona or to all, newest first."""
        return self._read(f"{_path(number)}/inbox", messages_of, psu=psu)

    def _read(self, path: str, reader: Callable[[dict[str, Any]], _Read], **query: str | None) -> _Read:
        document = require_accepted(_PEER, self._session.get(path, params=query))
        try:
            return reader(document)
        except (KeyError, TypeError, ValueError) as error:
            detail = f"its answer is not as agreed: {type(error).__name__}: {error}"
            raise PeerUnavailable(_PEER, detail) from error


def _path(number: AuthorisationNumber) -> str:
    return f"/internal/tenants/{quote(str(number), safe='')}"

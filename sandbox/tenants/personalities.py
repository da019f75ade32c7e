"""How a TPP's bank answers, and how it could: asked of the bank, and chosen there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from chassis.peers import PeerUnavailable
from sandbox.answers import require_accepted

if TYPE_CHECKING:
    from chassis.peers import PeerSession
    from psd2.authorisation_number import AuthorisationNumber

_PEER: Final = "bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """One of them; `settings` are the tables of its file, as the bank tells them."""

    name: str
    title: str
    description: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which one a bank has, and all that it could have; `chosen` may be one that is gone."""

    chosen: str
    offered: tuple[Personality, ...]

    @property
    def personality(self) -> Personality | None:
        """The chosen one, None where it is gone."""
        return next((each for each in self.offered if each.name == self.chosen), None)


class Personalities(Protocol):
    """Asks and tells the bank; each call raises `PeerUnavailable` or `PeerRefused`."""

    def choice(self, number: AuthorisationNumber) -> Choice:
        """Return how the TPP's bank answers now."""

    def choose(self, number: AuthorisationNumber, name: str) -> Choice:
        """Make it answer otherwise, from the next request on."""


class PersonalitiesOverTheWire:
    """The real ones."""

    def __init__(self, session: PeerSession) -> None:
        """Call over this session."""
        self._session = session

    def choice(self, number: AuthorisationNumber) -> Choice:
        """Return how the TPP's bank answers now."""
        return _choice(require_accepted(_PEER, self._session.get(_path(number))))

    def choose(self, number: AuthorisationNumber, name: str) -> Choice:
        """Make it answer otherwise, from the next request on."""
        return _choice(require_accepted(_PEER, self._session.put(_path(number), json={"personality": name})))


def _choice(document: dict[str, Any]) -> Choice:
    try:
        return Choice(chosen=document["personality"], offered=tuple(_personality(each) for each in document["personalities"]))
    except (KeyError, TypeError) as error:
        detail = f"its answer is not as agreed: {type(error).__name__}: {error}"
        raise PeerUnavailable(_PEER, detail) from error


def _personality(document: dict[str, Any]) -> Personality:
    settings = {key: value for key, value in document.items() if key not in {"name", "title", "description"}}
    return Personality(name=document["name"], title=document["title"], description=document["description"], settings=settings)


def _path(number: AuthorisationNumber) -> str:
    return f"/internal/tenants/{quote(str(number), safe='')}/personality"

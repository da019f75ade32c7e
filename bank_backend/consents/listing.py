"""A PSU's consents page by page: what is still open first, then the newest; those that are added shift no page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from bank_backend.consents.model import UNDECIDED, ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

PAGE_CONSENTS: Final = 50
OPEN: Final = UNDECIDED | {ConsentStatus.VALID}
_PLACE: Final = re.compile(
    r"(?P<part>open|ended)~(?P<at>[0-9]{1,12}\.[0-9]{1,6})~(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPlace:
    """A place in the list: behind the consent of this id, received at that moment (seconds of the epoch)."""

    is_open: bool
    received_at: float
    id: str

    @staticmethod
    def parse(text: str) -> ConsentPlace | None:
        """Read what a link says; None for what no page has led to."""
        match = _PLACE.fullmatch(text)
        if match is None:
            return None
        return ConsentPlace(is_open=match["part"] == "open", received_at=float(match["at"]), id=match["id"])

    @property
    def order(self) -> tuple[bool, float, str]:
        """What sorts places as the list does."""
        return not self.is_open, -self.received_at, self.id

    def __str__(self) -> str:
        """Write it as links do."""
        return f"{'open' if self.is_open else 'ended'}~{self.received_at:.6f}~{self.id}"


class Listed(Protocol):
    """What is listed: consents to see accounts, and to ask about funds."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def status(self) -> ConsentStatus:
        """Its status."""

    @property
    def received_at(self) -> datetime:
        """When it was asked for."""


_Kind = TypeVar("_Kind", bound=Listed)
_Other = TypeVar("_Other", bound=Listed)


@dataclass(frozen=True, slots=True)
class ConsentPage(Generic[_Kind]):
    """Consents, as they stand now, the place of each, and where the next page begins; None behind the last."""

    consents: Sequence[_Kind]
    places: Sequence[ConsentPlace]
    next: ConsentPlace | None


def page_of(found: Sequence[_Kind], settled: Callable[[_Kind], _Kind]) -> ConsentPage[_Kind]:
    """Return one page of up to one consent more than fit; their places are those that they are stored at."""
    shown = found[:PAGE_CONSENTS]
    places = [_place(consent) for consent in shown]
    return ConsentPage([settled(consent) for consent in shown], places, places[-1] if len(found) > PAGE_CONSENTS else None)


def merged(one: ConsentPage[_Kind], other: ConsentPage[_Other]) -> ConsentPage[_Kind | _Other]:
    """Return the first page of two lists that begin at the same place."""
    pairs: list[tuple[ConsentPlace, _Kind | _Other]] = [
        *zip(one.places, one.consents, strict=True),
        *zip(other.places, other.consents, strict=True),
    ]
    pairs.sort(key=lambda pair: pair[0].order)
    shown = pairs[:PAGE_CONSENTS]
    has_more = len(pairs) > len(shown) or one.next is not None or other.next is not None
    places = [place for place, _ in shown]
    return ConsentPage([consent for _, consent in shown], places, places[-1] if has_more else None)


def _place(consent: Listed) -> ConsentPlace:
    return ConsentPlace(is_open=consent.status in OPEN, received_at=consent.received_at.timestamp(), id=consent.id)

"""A PSU's consents page by page: what is still open first, then the newest; those that are added shift no page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bank_backend.consents.model import UNDECIDED, ConsentStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.consents.model import Consent

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

    def __str__(self) -> str:
        """Write it as links do."""
        return f"{'open' if self.is_open else 'ended'}~{self.received_at:.6f}~{self.id}"


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """Consents, as they stand now, and where the next page begins; None behind the last."""

    consents: Sequence[Consent]
    next: ConsentPlace | None


def page_of(found: Sequence[Consent]) -> tuple[Sequence[Consent], ConsentPlace | None]:
    """Return the consents of one page, and where the next begins, of up to one more than fit."""
    shown = found[:PAGE_CONSENTS]
    return shown, _place(shown[-1]) if len(found) > PAGE_CONSENTS else None


def _place(consent: Consent) -> ConsentPlace:
    return ConsentPlace(is_open=consent.status in OPEN, received_at=consent.received_at.timestamp(), id=consent.id)

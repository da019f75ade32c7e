"""Up to where a tenant's books hold what its seed tells, and nothing else: from there on the story can be told further.

The books are only ever added to, so that what lies before a bookmark is as it was written.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bank_backend.ledger.model import Position
    from bank_backend.personas.model import Persona
    from psd2.ids import AccountId

# Raised whenever the same personas are told otherwise: what was told before is then not gone on from.
_WAY_OF_TELLING: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """The story of `seed` is booked until `told_at`: so many `entries`, each account's book standing where `positions` say.

    `telling` stands for whom it is about and how it is told (`telling_of`).
    """

    seed: int
    told_at: datetime
    telling: int
    entries: int
    positions: Mapping[AccountId, Position]

    def is_of_story(self, other: Bookmark) -> bool:
        """Whether both tell the same story, of whichever month."""
        return (self.seed, self.telling) == (other.seed, other.telling)

    def leads_to(self, now: datetime, *, seed: int, telling: int) -> bool:
        """Whether the story can go on from here until `now`: a new month begins with other balances brought forward."""
        is_same = (self.seed, self.telling) == (seed, telling)
        return is_same and self.told_at <= now and (self.told_at.year, self.told_at.month) == (now.year, now.month)


def telling_of(personas: Sequence[Persona], *, country: str, months: int) -> int:
    """Return a number that is another one whenever the same seed would tell another story."""
    return zlib.crc32(repr((_WAY_OF_TELLING, country, months, personas)).encode())

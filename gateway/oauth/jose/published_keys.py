"""What is known of the keys at a `jwks_uri`, and what that allows: to use them, or to ask for them (FAPI 2.0 SP §5.4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

# A key that its owner takes back goes on working for so long; a new one works at once, for its kid is unknown.
FRESH: Final = timedelta(minutes=10)
# Where the address answers no more: whoever can keep it from answering does not keep a withdrawn key alive by it.
LONGEST: Final = timedelta(hours=1)
# All workers together; messages with invented kids can't make this server call somebody more often.
FETCHED_AT_MOST_EVERY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKeys:
    """The last set that an address gave, and how the last try went."""

    url: str
    tried_at: datetime
    failure: str | None = None
    jwks: str | None = None
    fetched_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the set is used without asking for it again."""
        return self._is_younger(FRESH, now)

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the set still is used where no newer one can be had."""
        return self._is_younger(LONGEST, now)

    def _is_younger(self, age: timedelta, now: datetime) -> bool:
        # A set from the time to come was fetched before the clock was set back: nobody knows its age.
        return self.jwks is not None and self.fetched_at is not None and abs(now - self.fetched_at) < age

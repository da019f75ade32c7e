"""A session of the bank app, and a request that waits in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bank_backend.authorisations.wording import Line

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Ask
    from bank_backend.authorisations.wording import Wording
    from bank_backend.psus.model import Psu
    from bank_backend.sca.model import Challenge
    from bank_backend.tenants.model import Tenant
    from psd2.ids import PsuId, TenantId

# RTS (EU) 2018/389 Art. 4 (3)(d): five minutes without activity, at most. What the page does by itself is none.
MOST_IDLE: Final = timedelta(minutes=5)
MOST_AGE: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSession:
    """A browser that has signed in. `digest` is the SHA-256 of the secret that it keeps; times are real ones."""

    digest: str
    tenant: TenantId
    psu: PsuId
    opened_at: datetime
    active_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return now >= self.active_at + MOST_IDLE or now >= self.opened_at + MOST_AGE


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who uses the app, and whose bank it is."""

    psu: Psu
    tpp: Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRequest:
    """What waits for the PSU under one authorisation.

    `accounts` are those it is about, or can be about where `chooses`; `push` is the challenge that stands, if one does.
    """

    authorisation: str
    ask: Ask
    tpp: Tenant
    accounts: tuple[Account, ...]
    chooses: bool
    is_possible: bool
    push: Challenge | None
    expires_at: datetime
    binding_message: str | None = None

    @property
    def wording(self) -> Wording:
        """The request as it is shown."""
        wording = self.ask.wording(self.tpp.name, () if self.chooses else self.accounts)
        if self.binding_message is None:
            return wording
        shown = Line(f"Shown by {self.tpp.name} too", self.binding_message, "If it is not, refuse")
        return replace(wording, lines=(shown, *wording.lines))

    @property
    def statement(self) -> str:
        """What approving does, for all of the accounts; nothing where none fits."""
        return self.ask.statement(self.tpp.name, self.accounts) if self.is_possible else ""

    @property
    def seal(self) -> str:
        """What the page sends back to prove that this, and nothing else, was shown."""
        return hashlib.sha256(f"{self.authorisation}\0{self.chooses}\0{self.statement}".encode()).hexdigest()

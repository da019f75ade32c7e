"""What lies in front of a PSU that has signed in for a visit, and what it may approve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_backend.authorisations.asks import AccountChoice, chosen_accounts, eligible_accounts
from bank_backend.errors import ScaMethodUnknown
from bank_backend.sca.model import ChallengeStatus, MethodType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Ask, Eligible
    from bank_backend.interactions.model import Interaction
    from bank_backend.sca.model import Challenge, ScaMethod
    from bank_backend.tenants.model import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What lies in front of the PSU: who asks for what, its accounts that fit, those it has chosen, its methods.

    `challenge` is the newest one, whatever became of it; `passkey` is what the browser asks a passkey for.
    """

    interaction: Interaction
    tpp: Tenant
    ask: Ask
    eligible: Eligible
    chosen: tuple[Account, ...]
    methods: tuple[ScaMethod, ...]
    challenge: Challenge | None
    passkey: dict[str, Any] | None
    at: datetime

    @property
    def statement(self) -> str:
        """What approving does, in one sentence; challenges are bound to it."""
        return self.ask.statement(self.tpp.name, self.chosen)

    @property
    def is_waiting_for_app(self) -> bool:
        """Whether the answer is to come from the bank app."""
        asked = self.challenge
        if asked is None or asked.type is not MethodType.PUSH:
            return False
        return asked.status is ChallengeStatus.SENT and self.at < asked.expires_at


def accounts_chosen(interaction: Interaction, ask: Ask, held: Sequence[Account]) -> tuple[Account, ...]:
    """Return the accounts that the PSU has picked where it has to, else all that fit."""
    eligible = eligible_accounts(ask, held)
    if ask.choice is not AccountChoice.OFFERED:
        return eligible.accounts
    picked = interaction.accounts or ()
    return tuple(account for account in eligible.accounts if account.id in picked)


def require_choice(desk: Desk) -> tuple[Account, ...]:
    """Return the accounts to approve for; raises `FieldsInvalid` where one asked for is not this PSU's, or none is left."""
    wanted = [account.id for account in desk.chosen] if desk.ask.choice is AccountChoice.OFFERED else None
    return chosen_accounts(desk.ask, desk.eligible.accounts, wanted)


def require_first(desk: Desk) -> str:
    """Return the id of the PSU's first method; raises `ScaMethodUnknown` for none."""
    if not desk.methods:
        raise ScaMethodUnknown("you have no way to confirm that this bank takes: set one up in the bank app")
    return desk.methods[0].id

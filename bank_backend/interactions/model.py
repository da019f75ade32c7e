"""One visit of a PSU to the bank to decide one request: who asked, how far it got, how it ended (architecture §3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.ids import PsuId, TenantId

# How long a PSU has, from the requesting company's link to the decision.
INTERACTION_LIFETIME = timedelta(minutes=15)
# More than lock one PSU, so that a locked customer reads why; few enough that logins are not tried out through one link.
MOST_LOGIN_FAILURES = 8


class InteractionStatus(StrEnum):
    """How a visit ended, or that it has not yet."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


_S = InteractionStatus
INTERACTION_STATES: StateMachine[InteractionStatus] = StateMachine(
    "interaction",
    {
        _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.EXPIRED, _S.FAILED}),
        _S.APPROVED: frozenset(),
        _S.REJECTED: frozenset(),
        _S.EXPIRED: frozenset(),
        _S.FAILED: frozenset(),
    },
)


class Step(StrEnum):
    """Which page a pending visit is on."""

    LOGIN = "login"
    ACCOUNTS = "accounts"
    REVIEW = "review"
    CODE = "code"


STEPS: StateMachine[Step] = StateMachine(
    "visit",
    {
        Step.LOGIN: frozenset({Step.ACCOUNTS, Step.REVIEW}),
        Step.ACCOUNTS: frozenset({Step.REVIEW}),
        # Back to the choice; REVIEW again when the accounts are chosen anew from the code page.
        Step.REVIEW: frozenset({Step.REVIEW, Step.CODE}),
        Step.CODE: frozenset({Step.CODE, Step.REVIEW}),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """A visit. `session` is the SHA-256 of the browser's secret once the PSU has logged in; `accounts` its choice.

    `headless`: decided through the sandbox endpoint, without password and code.
    """

    id: str
    tenant: TenantId
    kind: ResourceKind
    resource: str
    authorisation: str
    client_id: str
    client_name: str
    return_url: str
    status: InteractionStatus
    step: Step
    login_failures: int
    psu: PsuId | None
    session: str | None
    accounts: tuple[str, ...] | None
    headless: bool
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    # Where the browser goes unless the PSU approves; None: to `return_url` as well (`TPP-Nok-Redirect-URI`).
    nok_return_url: str | None = None

    @property
    def is_pending(self) -> bool:
        """Whether there is still something to decide."""
        return self.status is InteractionStatus.PENDING

    @property
    def service(self) -> ResourceKind:
        """The service that scopes name: a cancellation is authorised under its payment's."""
        return ResourceKind.PIS if self.kind is ResourceKind.CANCELLATION else self.kind

    def ended(self, to: InteractionStatus, *, at: datetime) -> Interaction:
        """Return the visit at its end; its browser session ends with it. Raises `IllegalMove`."""
        INTERACTION_STATES.require_move(self.status, to=to)
        way_back = self.return_url if to is InteractionStatus.APPROVED else self.nok_return_url or self.return_url
        return replace(self, status=to, decided_at=at, return_url=way_back)

    def stepped(self, to: Step) -> Interaction:
        """Return the visit on its next page; raises `IllegalMove`."""
        STEPS.require_move(self.step, to=to)
        return replace(self, step=to)

    def settled(self, now: datetime) -> Interaction:
        """Return the visit as time alone has made it."""
        return self.ended(InteractionStatus.EXPIRED, at=self.expires_at) if self.is_pending and now >= self.expires_at else self

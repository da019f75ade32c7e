"""An authorisation sub-resource and the states of its strong customer authentication (BG IG 1.3.8 §4.6, §14.15)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.personalities.model import ScaApproach
from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.ids import PsuId, TenantId

# How long a started authorisation waits for the PSU to appear at the bank.
WAIT_FOR_PSU = timedelta(hours=24)
# How long an approval by redirect waits for the TPP's confirmation: the browser is on its way.
CONFIRMATION_WINDOW = timedelta(minutes=10)


class ResourceKind(StrEnum):
    """What a PSU can authorise, by the service's name in OAuth scopes where it has one (BG IG §13.1)."""

    AIS = "ais"
    PIS = "pis"
    CANCELLATION = "pis-cancellation"
    PIIS = "piis"
    BASKET = "basket"


class ScaStatus(StrEnum):
    """BG IG §14.15."""

    RECEIVED = "received"
    PSU_IDENTIFIED = "psuIdentified"
    PSU_AUTHENTICATED = "psuAuthenticated"
    SCA_METHOD_SELECTED = "scaMethodSelected"
    STARTED = "started"
    UNCONFIRMED = "unconfirmed"
    FINALISED = "finalised"
    FAILED = "failed"
    EXEMPTED = "exempted"


_S = ScaStatus
SCA_STATES: StateMachine[ScaStatus] = StateMachine(
    "authorisation",
    {
        _S.RECEIVED: frozenset({_S.PSU_IDENTIFIED, _S.PSU_AUTHENTICATED, _S.FAILED}),
        _S.PSU_IDENTIFIED: frozenset({_S.PSU_IDENTIFIED, _S.PSU_AUTHENTICATED, _S.FAILED}),
        _S.PSU_AUTHENTICATED: frozenset({_S.SCA_METHOD_SELECTED, _S.STARTED, _S.EXEMPTED, _S.FAILED}),
        # Another method may be selected as long as none has been passed.
        _S.SCA_METHOD_SELECTED: frozenset({_S.SCA_METHOD_SELECTED, _S.STARTED, _S.FAILED}),
        # A new code starts the routine again.
        _S.STARTED: frozenset({_S.STARTED, _S.UNCONFIRMED, _S.FINALISED, _S.FAILED}),
        _S.UNCONFIRMED: frozenset({_S.FINALISED, _S.FAILED}),
        _S.FINALISED: frozenset(),
        _S.FAILED: frozenset(),
        _S.EXEMPTED: frozenset(),
    },
)

# The ends that count as a signature.
SIGNED = frozenset({_S.FINALISED, _S.EXEMPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """One PSU's authorisation of one resource. `headless`: given through the sandbox endpoint, without password and code.

    `return_url` and `nok_return_url` are the TPP's, for the redirect without OAuth. `method` is the chosen SCA method,
    `failures` counts wrong passwords, `accounts` are those that the PSU has approved for,
    `binding_message` is what the TPP shows too (OpenID CIBA Core 1.0 §7.1).
    """

    id: str
    tenant: TenantId
    kind: ResourceKind
    resource: str
    status: ScaStatus
    psu: PsuId | None
    headless: bool
    started_at: datetime
    expires_at: datetime
    approach: ScaApproach = ScaApproach.OAUTH
    method: str | None = None
    return_url: str | None = None
    nok_return_url: str | None = None
    failures: int = 0
    accounts: tuple[str, ...] | None = None
    confirmation_code: str | None = None
    binding_message: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still be finalised."""
        return not SCA_STATES.is_final(self.status)

    def moved(self, to: ScaStatus) -> Authorisation:
        """Return the authorisation in its next state; raises `IllegalMove`."""
        SCA_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def settled(self, now: datetime) -> Authorisation:
        """Return it as time alone has made it: failed, when the PSU did not finish in time."""
        return self.moved(ScaStatus.FAILED) if self.is_open and now >= self.expires_at else self

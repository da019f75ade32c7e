"""What the authorization server asks of the bank: put a resource before the PSU, and tell what was decided.

Contract: docs/architecture.md §3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from gateway.oauth.ciba.bank import BackchannelBank
from gateway.oauth.rar.bank import ResourceBank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.oauth.rar.bank import NewResource


class InteractionStatus(StrEnum):
    """How far the PSU is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInteraction:
    """What to put before the PSU, and where to send the browser afterwards."""

    tenant: str
    kind: str
    resource: str
    client_id: str
    client_name: str
    return_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVisit:
    """For which client the PSU is to decide on what is made for it, and where to send the browser afterwards."""

    client_id: str
    client_name: str
    return_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a PSU decides who is stood in for; `accounts` None: all that were asked for."""

    psu: str
    approved: bool
    accounts: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What became of an interaction; `psu` is the login of who decided.

    `told`: what was approved, as it stands, in the Berlin Group's words, with the accounts that the PSU has picked.
    """

    id: str
    status: InteractionStatus
    psu: str | None
    kind: str
    resource: str
    tenant: str
    told: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunInteraction:
    """An interaction that waits for the PSU at `url`, to decide on `resource`; or one that was `decided` on when it began."""

    id: str
    url: str
    resource: str
    decided: Interaction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedDecision:
    """A decision on what `address` names, for the TPP whose authorisation it is."""

    tenant: str
    address: str
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedAddress:
    """Where a browser would go on, if one was meant, and the SCA status where the bank has told it."""

    redirect: str | None
    sca_status: str | None


class Bank(ResourceBank, BackchannelBank, Protocol):
    """The bank, over the back channel."""

    def begin(self, new: NewInteraction) -> BegunInteraction:
        """Begin an interaction; raises `ResourceUnknown`, `ResourceNotAwaiting`, `BankUnavailable`."""

    def make_and_begin(self, new: NewResource, visit: NewVisit, decision: Decision | None = None) -> BegunInteraction:
        """Make a consent or payment and begin an interaction for it; raises `ResourceRefused`, `BankUnavailable`.

        With a `decision` it is decided on, too; raises `DecisionRefused`, and then nothing was made.
        """

    def interaction(self, interaction: str) -> Interaction:
        """Return an interaction; raises `BankUnavailable`."""

    def decide(self, interaction: str, decision: Decision) -> Interaction:
        """Decide in the PSU's place and return what became of it; raises `DecisionRefused`, `BankUnavailable`."""

    def decide_at(self, address: AddressedDecision) -> DecidedAddress:
        """Decide on what an address of the bank's names; raises `DecisionRefused`, `BankUnavailable`."""


class BankUnavailable(Exception):
    """The bank could not be reached, or gave an answer that makes no sense. The detail is for the log."""


class ResourceUnknown(Exception):
    """The tenant has no such consent or payment."""


class ResourceNotAwaiting(Exception):
    """A consent or payment that is not waiting to be authorised."""


class DecisionRefused(Exception):
    """A decision that the bank doesn't take: `code` as the bank names it, `errors` by field."""

    def __init__(self, *, code: str, detail: str, errors: Sequence[dict[str, str]]) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors

"""The bank beside an authorization server, played by hand: what awaits authorisation there, and what its PSUs decide."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.oauth.bank import (
    AddressedDecision,
    BankUnavailable,
    BegunInteraction,
    DecidedAddress,
    Decision,
    DecisionRefused,
    Interaction,
    InteractionStatus,
    NewInteraction,
    NewVisit,
    ResourceNotAwaiting,
    ResourceUnknown,
)
from gateway.oauth.ciba.bank import AskedPsu, AskStatus, DecoupledNotOffered, NewAsk, PsuNotKnown
from gateway.oauth.rar.bank import NewResource, ResourceRefused, StandingResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.oauth.scope import BerlinScope

ISSUER = "https://localhost:8441"
NUMBER = "PSDDE-BAFIN-100001"


@dataclass
class FakeBank:
    """The bank, played by hand: which resources await authorisation, and what its PSUs decide."""

    awaiting: set[tuple[str, str, str]]
    done: set[tuple[str, str, str]] = field(default_factory=set)
    psus: frozenset[str] = frozenset({"anna.weber"})
    interactions: dict[str, Interaction] = field(default_factory=dict)
    begun: list[NewInteraction] = field(default_factory=list)
    decisions: list[tuple[str, Sequence[str] | None]] = field(default_factory=list)
    addressed: list[AddressedDecision] = field(default_factory=list)
    made: list[NewResource] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    picked: dict[str, Any] = field(default_factory=dict)
    refuses: ResourceRefused | None = None
    asks: list[NewAsk] = field(default_factory=list)
    asked_psus: dict[str, AskedPsu] = field(default_factory=dict)
    asks_in_apps: bool = True
    is_down: bool = False
    cannot_end: bool = False

    def begin(self, new: NewInteraction) -> BegunInteraction:
        self._require_up()
        key = (new.tenant, new.kind, new.resource)
        if key in self.done:
            raise ResourceNotAwaiting
        if key not in self.awaiting:
            raise ResourceUnknown
        self.begun.append(new)
        name = f"interaction-{len(self.begun)}"
        self.interactions[name] = Interaction(
            id=name, status=InteractionStatus.PENDING, psu=None, kind=new.kind, resource=new.resource, tenant=new.tenant
        )
        return BegunInteraction(id=name, url=f"{ISSUER}/psu/{name}", resource=new.resource)

    def make_and_begin(self, new: NewResource, visit: NewVisit, decision: Decision | None = None) -> BegunInteraction:
        """All of it, or nothing."""
        self._require_up()
        if decision is not None:
            self._require_psu(decision)
        made = self.make(new)
        begun = self.begin(NewInteraction(tenant=new.tenant, kind=new.service.kind, resource=made, **asdict(visit)))
        return begun if decision is None else replace(begun, decided=self.decide(begun.id, decision))

    def interaction(self, interaction: str) -> Interaction:
        """Tell of it, and of what was approved with what the PSU has `picked`."""
        self._require_up()
        found = self.interactions[interaction]
        key = (found.tenant, found.kind, found.resource)
        if found.status is not InteractionStatus.APPROVED or key not in self.awaiting | self.done:
            return found
        return replace(found, told=self._told(found.resource))

    def decide(self, interaction: str, decision: Decision) -> Interaction:
        self._require_up()
        self._require_psu(decision)
        self.decisions.append((decision.psu, decision.accounts))
        status = InteractionStatus.APPROVED if decision.approved else InteractionStatus.REJECTED
        self.settle(status, psu=decision.psu, interaction=interaction)
        return self.interaction(interaction)

    def decide_at(self, address: AddressedDecision) -> DecidedAddress:
        self._require_up()
        self._require_psu(address.decision)
        self.addressed.append(address)
        return DecidedAddress(redirect=None, sca_status="finalised" if address.decision.approved else "failed")

    def make(self, new: NewResource) -> str:
        self._require_up()
        if self.refuses is not None:
            raise self.refuses
        self.made.append(new)
        name = f"made-{len(self.made)}"
        self.awaiting.add((new.tenant, new.service.kind, name))
        return name

    def standing(self, scope: BerlinScope, *, tenant: str) -> StandingResource:
        """Tell what was asked for, with what the PSU has `picked`; of what others made, its id."""
        self._require_up()
        if (tenant, scope.service.kind, scope.resource) not in self.awaiting | self.done:
            raise ResourceUnknown
        status = "terminatedByTpp" if str(scope) in self.ended else "valid"
        return StandingResource(status=status, told=self._told(scope.resource))

    def _told(self, resource: str) -> dict[str, Any]:
        place = int(resource.removeprefix("made-")) if resource.startswith("made-") else 0
        asked = self.made[place - 1].request or {} if place else {}
        return dict(asked) | self.picked

    def end(self, scope: BerlinScope, *, tenant: str) -> None:
        self._require_up()
        assert (tenant, scope.service.kind, scope.resource) in self.awaiting | self.done
        if self.cannot_end:
            raise BankUnavailable("refused to connect")
        self.ended.append(str(scope))

    def ask(self, new: NewAsk) -> AskedPsu:
        self._require_up()
        if not self.asks_in_apps:
            raise DecoupledNotOffered
        key = (new.tenant, new.scope.service.kind, new.scope.resource)
        if key in self.done:
            raise ResourceNotAwaiting
        if key not in self.awaiting:
            raise ResourceUnknown
        if new.psu not in self.psus:
            raise PsuNotKnown
        self.asks.append(new)
        name, status = f"authorisation-{len(self.asks)}", AskStatus.PENDING
        asked = AskedPsu(authorisation=name, status=status, psu=new.psu, kind=key[1], resource=key[2])
        self.asked_psus[name] = asked
        return asked

    def asked(self, authorisation: str, *, tenant: str) -> AskedPsu:
        self._require_up()
        assert tenant == NUMBER
        return self.asked_psus[authorisation]

    def decide_ask(self, status: AskStatus, *, psu: str = "anna.weber") -> None:
        """Decide what was asked last, as a PSU in its bank app would."""
        name = list(self.asked_psus)[-1]
        self.asked_psus[name] = replace(self.asked_psus[name], status=status, psu=psu)

    def settle(self, status: InteractionStatus, *, psu: str | None = "anna.weber", interaction: str | None = None) -> None:
        """Decide the newest interaction, or the one named, as a PSU at the bank's pages would."""
        name = interaction or list(self.interactions)[-1]
        self.interactions[name] = replace(self.interactions[name], status=status, psu=psu)

    def _require_psu(self, decision: Decision) -> None:
        if decision.psu not in self.psus:
            raise DecisionRefused(code="psu.unknown", detail=f"no PSU {decision.psu}", errors=[])

    def _require_up(self) -> None:
        if self.is_down:
            raise BankUnavailable("refused to connect")

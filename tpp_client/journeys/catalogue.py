"""The journeys by name, the PSP role each needs, and one run of them judged and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from psd2.roles import PspRole
from tpp_client.errors import Refused, TppClientError
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import pis_journey

if TYPE_CHECKING:
    from collections.abc import Callable

    from psd2.certificates import Psd2Certificate
    from tpp_client.journeys.stage import Stage


class JourneyResult(Protocol):
    """What every journey brings home."""

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A journey and the role it takes."""

    name: str
    title: str
    role: PspRole
    go: Callable[[Stage, str], JourneyResult]


JOURNEYS = (
    Journey(name="ais", title="Account information", role=PspRole.AI, go=lambda stage, _: ais_journey(stage)),
    Journey(name="pis", title="Payment initiation", role=PspRole.PI, go=pis_journey),
    Journey(name="piis", title="Funds confirmation", role=PspRole.IC, go=piis_journey),
)
NAMES = tuple(journey.name for journey in JOURNEYS)


def journeys_for(name: str, certificate: Psd2Certificate) -> tuple[Journey, ...]:
    """Return the journey of that name, or for `all` those that the certificate's roles allow; raises when none is."""
    if name != "all":
        return tuple(journey for journey in JOURNEYS if journey.name == name)
    allowed = tuple(journey for journey in JOURNEYS if journey.role in certificate.roles)
    if not allowed:
        msg = f"the QWAC holds none of the roles {', '.join(journey.role.licence for journey in JOURNEYS)}: nothing to do"
        raise TppClientError(msg)
    return allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyOutcome:
    """How a journey ended."""

    journey: Journey
    result: JourneyResult | None
    failure: TppClientError | None

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        outcome: dict[str, object] = {"journey": self.journey.name, "ok": self.failure is None}
        if self.result is not None:
            return outcome | {"result": self.result.as_json()}
        reason = self.failure.refusal.reason if isinstance(self.failure, Refused) else None
        return outcome | {"error": str(self.failure), "reason": reason}


def run_journey(journey: Journey, stage: Stage, psu: str) -> JourneyOutcome:
    """Go the way, tell how it ends, and keep it."""
    stage.narrator.begin(f"{journey.title} by {stage.identity.name} ({stage.identity.authorisation_number})")
    try:
        result = journey.go(stage, psu)
    except TppClientError as failure:
        stage.narrator.end(str(failure))
        return JourneyOutcome(journey=journey, result=None, failure=failure)
    stage.narrator.end(None)
    return JourneyOutcome(journey=journey, result=result, failure=None)

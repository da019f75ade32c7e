"""The journeys by name, the PSP role each needs, and one run of them judged and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from psd2.roles import PspRole
from tpp_client.errors import Refused, TppClientError
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.granting import grants_journey
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import decoupled_journey, embedded_journey, pis_journey
from tpp_client.journeys.planned import bulk_journey, cancelled_journey, scheduled_journey, standing_journey

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
    """A journey and the role it takes; one that is not `with_all` is gone by its name only.

    One that `takes_token` can have the PSU asked by CIBA instead of a redirect; the others go without OAuth.
    """

    name: str
    title: str
    role: PspRole
    go: Callable[[Stage, str], JourneyResult]
    with_all: bool = True
    takes_token: bool = True


JOURNEYS = (
    Journey(name="ais", title="Account information", role=PspRole.AI, go=lambda stage, _: ais_journey(stage)),
    Journey(name="pis", title="Payment initiation", role=PspRole.PI, go=pis_journey),
    Journey(name="piis", title="Funds confirmation", role=PspRole.IC, go=piis_journey),
    Journey(name="embedded", title="A payment without a browser", role=PspRole.PI, go=embedded_journey, takes_token=False),
    Journey(
        name="decoupled",
        title="A payment confirmed in the bank's app",
        role=PspRole.PI,
        go=decoupled_journey,
        takes_token=False,
    ),
    Journey(name="bulk", title="Several payments, confirmed once", role=PspRole.PI, go=bulk_journey),
    Journey(name="cancelled", title="A payment cancelled in time", role=PspRole.PI, go=cancelled_journey, takes_token=False),
    # These two move the tenant's clock, and the last goes a way of its own.
    Journey(name="scheduled", title="A payment of another day", role=PspRole.PI, go=scheduled_journey, with_all=False),
    Journey(name="standing", title="A standing order", role=PspRole.PI, go=standing_journey, with_all=False),
    Journey(
        name="grants",
        title="A grant with a name, from its making to its end",
        role=PspRole.AI,
        go=grants_journey,
        with_all=False,
        takes_token=False,
    ),
)
NAMES = tuple(journey.name for journey in JOURNEYS)
WITHOUT_TOKEN = tuple(journey.name for journey in JOURNEYS if not journey.takes_token)


def journeys_for(name: str, certificate: Psd2Certificate) -> tuple[Journey, ...]:
    """Return the journey of that name, or for `all` those that the roles allow, but for the long ones; never none."""
    if name != "all":
        return tuple(journey for journey in JOURNEYS if journey.name == name)
    allowed = tuple(journey for journey in JOURNEYS if journey.role in certificate.roles and journey.with_all)
    if not allowed:
        licences = ", ".join(dict.fromkeys(journey.role.licence for journey in JOURNEYS))
        msg = f"the QWAC holds none of the roles {licences}: nothing to do"
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

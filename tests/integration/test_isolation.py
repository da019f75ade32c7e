"""64 journeys at once, 8 TPPs with 5 PSUs each: no error, and nobody ever sees another's data."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice, product
from typing import TYPE_CHECKING

import pytest

from tests.support.people import JOINT_SIGNATORIES
from tests.support.tpps import KeepingTransport, open_stage, registered, stage_on
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import pis_journey
from tpp_client.sandbox_api import data_request, process_data_response
from tpp_client.transport import transport_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import Stage
    from tpp_client.sandbox_api import Persona
    from tpp_client.wire import HttpResponse

TPPS, PSUS, JOURNEYS = 8, 5, 64
# The register's own answer about the whole tenant: the one body that may name all of a TPP's people.
_DIRECTORY = "/sandbox/v1/data"


@dataclass(frozen=True, slots=True)
class Firm:
    """A TPP and the people who bank in its tenant."""

    identity: TppIdentity
    personas: tuple[Persona, ...]

    @property
    def marks(self) -> set[str]:
        """What only this tenant's data contains: IBANs and account ids."""
        accounts = [account for persona in self.personas for account in persona.accounts]
        return {account.iban for account in accounts} | {account.account_id for account in accounts}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One journey's answers."""

    firm: Firm
    psu: Persona
    kind: str
    answers: tuple[HttpResponse, ...]


@pytest.fixture(scope="module")
def firms(platform: RunningPlatform) -> tuple[Firm, ...]:
    """Register 8 TPPs, each with a seeded bank of its own and enough people for all journeys."""
    made = tuple(firm(registered(platform, seed=index)) for index in range(TPPS))
    assert [len(each.personas) for each in made] == [PSUS] * TPPS
    return made


def firm(identity: TppIdentity) -> Firm:
    with open_stage(identity) as stage:
        personas = process_data_response(data_request(stage.xs2a))
    return Firm(identity, tuple(islice(filter(travels_alone, personas), PSUS)))


def travels_alone(persona: Persona) -> bool:
    """Answer whether one signature completes a consent of this persona, and its first account pays in euro."""
    if persona.psu in JOINT_SIGNATORIES or not persona.accounts:
        return False
    return persona.accounts[0].currency == "EUR"


@pytest.fixture(scope="module")
def outcomes(firms: tuple[Firm, ...]) -> list[Outcome]:
    """Let all 64 journeys go at once; an error in any of them fails here, with its reason."""
    with ThreadPoolExecutor(JOURNEYS) as pool:
        return [going.result(timeout=170) for going in [pool.submit(travel, *plan) for plan in plans(firms)]]


def plans(firms: tuple[Firm, ...]) -> Iterator[tuple[Firm, Persona, str]]:
    """Give every PSU of every TPP an AIS journey, and payments and funds confirmations to make up 64.

    One AIS journey for each pair: a second consent of the same PSU for the same TPP ends the first (BG IG §6.3).
    """
    pairs = [(each, psu) for each, psu in product(firms, range(PSUS))]
    for each, psu in pairs:
        yield each, each.personas[psu], "ais"
    for index, (each, psu) in enumerate(islice(cycle(pairs[::2]), JOURNEYS - len(pairs))):
        yield each, each.personas[psu], "pis" if index % 2 else "piis"


def travel(firm: Firm, psu: Persona, kind: str) -> Outcome:
    journeys: dict[str, Callable[[Stage], object]] = {
        "ais": ais_journey,
        "pis": lambda stage: pis_journey(stage, psu.psu),
        "piis": lambda stage: piis_journey(stage, psu.psu),
    }
    with transport_for(firm.identity) as transport:
        keeping = KeepingTransport(transport)
        stage = stage_on(firm.identity, keeping, psu=psu.psu)
        journeys[kind](stage)
    return Outcome(firm, psu, kind, tuple(keeping.kept))


def test_all_64_journeys_arrive(outcomes: list[Outcome]) -> None:
    """No error, no answer but a success."""
    assert len(outcomes) == JOURNEYS
    assert {answer.status for outcome in outcomes for answer in outcome.answers} <= {200, 201}


def test_the_firms_have_nothing_in_common(firms: tuple[Firm, ...]) -> None:
    """Or the tests below would prove nothing."""
    marks = [each.marks for each in firms]
    assert all(len(each.personas) == PSUS for each in firms)
    assert len(set().union(*marks)) == sum(map(len, marks))


def test_no_body_holds_another_tpps_data(firms: tuple[Firm, ...], outcomes: list[Outcome]) -> None:
    """Every body of every journey, searched for every mark of every other TPP's tenant."""
    for outcome in outcomes:
        foreign = [mark for each in firms if each is not outcome.firm for mark in each.marks]
        pattern = re.compile("|".join(map(re.escape, foreign)))
        for answer in outcome.answers:
            assert pattern.search(answer.body.decode()) is None, f"{answer.request.method} {answer.request.url}"


def test_no_psu_sees_another_psus_accounts(outcomes: list[Outcome]) -> None:
    """What a consent opens is exactly what its PSU holds; a neighbour appears as a counterparty at most."""
    for outcome in outcomes:
        own = {account.account_id for account in outcome.psu.accounts}
        others = {account.account_id for each in outcome.firm.personas for account in each.accounts} - own
        for answer in outcome.answers:
            if not answer.request.url.endswith(_DIRECTORY):
                assert not [account for account in others if account in answer.body.decode()], answer.request.url


def test_every_psu_sees_all_of_its_own_accounts(outcomes: list[Outcome]) -> None:
    """An empty answer would leak nothing either."""
    travelled = [outcome for outcome in outcomes if outcome.kind == "ais"]
    assert len(travelled) == TPPS * PSUS
    for outcome in travelled:
        listed = next(answer for answer in outcome.answers if answer.request.url.endswith("/v1/accounts"))
        seen = {account["iban"] for account in json.loads(listed.body)["accounts"]}
        assert seen == {account.iban for account in outcome.psu.accounts}


def test_every_answer_is_to_its_own_question(outcomes: list[Outcome]) -> None:
    """BG IG §4.8: the bank repeats the X-Request-ID; a mixed-up connection would repeat another's."""
    for outcome in outcomes:
        for answer in outcome.answers:
            asked = answer.request.headers.get("X-Request-ID")
            if asked and "/v1/" in answer.request.url and "/sandbox/" not in answer.request.url:
                assert answer.headers.get("x-request-id") == asked, answer.request.url

"""Asking the PSU in its bank app: the order of the calls, how long is waited, and what is believed (CIBA Core, FAPI-CIBA)."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import parse_qs

import pytest

from tests.unit.tpp_client.fakes import EDGE, METADATA, answer
from tpp_client.backchannel import Undecided
from tpp_client.bootstrap import backchannel_of
from tpp_client.client import ClientTraits
from tpp_client.errors import IdentityUnusable, Refused, TppClientError, UnexpectedResponse
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import pis_journey
from tpp_client.journeys.stage import Backchannel

if TYPE_CHECKING:
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.narration import Recorder
    from tpp_client.journeys.stage import AppInvitation, Stage
    from tpp_client.pings import PingEndpoint
    from tpp_client.wire import HttpRequest, HttpResponse

ANNA = "anna.weber"
AUTHORISATIONS = "/v1/consents/c1/authorisations"
TOKEN = answer(200, {"access_token": "acc3ss", "token_type": "Bearer", "expires_in": 300})


def refused(error: str) -> HttpResponse:
    return answer(400, {"error": error, "error_description": "because"})


def form(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}


class Polls:
    """Answers polls in the order of a script, the last one again and again."""

    def __init__(self, bank: FakeBank, *answers: HttpResponse) -> None:
        self._answers = list(answers)
        bank.answers["POST /token"] = self._next

    def _next(self, _: HttpRequest) -> HttpResponse:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def asking(stage: Stage, bank: FakeBank, pauses: list[float]) -> Stage:
    """Lend a stage whose bank asks PSUs in its app: the first poll comes before the decision."""
    bank.answers |= {
        "POST /bc-authorize": lambda _: answer(200, {"auth_req_id": "r3quest-s3cret", "expires_in": 60, "interval": 5}),
        f"GET {AUTHORISATIONS}": lambda _: answer(200, {"authorisationIds": ["redirect", "newest"]}),
        "POST /sandbox/v1/psu-interactions": lambda _: answer(200, {"scaStatus": "finalised"}),
    }
    Polls(bank, refused("authorization_pending"), TOKEN)
    return dataclasses.replace(stage, pause=pauses.append, backchannel=Backchannel())


def test_the_psu_is_asked_decides_and_the_token_is_polled_for(asking: Stage, bank: FakeBank, pauses: list[float]) -> None:
    """CIBA Core §7, §10.1: asked, undecided, decided, and after the interval a token."""
    ais_journey(asking)

    assert bank.calls[1:9] == [
        "POST /v1/consents",
        "POST /bc-authorize",
        "POST /token",
        f"GET {AUTHORISATIONS}",
        "POST /sandbox/v1/psu-interactions",
        "POST /token",
        "POST /introspect",
        "GET /v1/consents/c1/status",
    ]
    assert pauses == [5]


def test_the_request_names_the_psu_and_the_consent(asking: Stage, bank: FakeBank) -> None:
    """CIBA Core §7.1: one hint, one context; the message is what the PSU compares."""
    ais_journey(asking)

    asked = form(bank.requests[2])
    assert (asked["login_hint"], asked["scope"], asked["client_id"]) == (ANNA, "AIS:c1", asking.identity.client_id)
    assert asked["binding_message"].isalnum()
    assert "client_notification_token" not in asked


def test_the_psu_decides_on_what_it_was_asked_last(asking: Stage, bank: FakeBank) -> None:
    """A consent may have an authorisation from before: that of the redirect."""
    ais_journey(asking)

    decided = json.loads(bank.requests[5].body or b"")
    assert (decided["url"], decided["psu"]) == (f"{EDGE}{AUTHORISATIONS}/newest", ANNA)


def test_who_polls_too_soon_waits_longer_from_then_on(asking: Stage, bank: FakeBank, pauses: list[float]) -> None:
    """CIBA Core §11: slow_down adds five seconds to this interval and to all after it."""
    Polls(bank, *map(refused, ["authorization_pending", "slow_down", "authorization_pending", "slow_down"]), TOKEN)

    ais_journey(asking)

    assert pauses == [5, 10, 10, 15]


def test_nobody_polls_for_longer_than_the_request_lives(asking: Stage, bank: FakeBank, pauses: list[float]) -> None:
    """CIBA Core §7.3: after `expires_in` there is nothing to be had."""
    Polls(bank, refused("authorization_pending"))

    with pytest.raises(TppClientError, match="nobody has decided within the 60 s"):
        ais_journey(asking)
    assert 55 <= sum(pauses) <= 60


@pytest.mark.parametrize(
    ("error", "told"),
    [("access_denied", "the PSU has said no"), ("expired_token", "nobody has decided in time"), ("invalid_grant", None)],
)
def test_a_no_ends_the_journey(asking: Stage, bank: FakeBank, recorder: Recorder, error: str, told: str | None) -> None:
    """CIBA Core §11: nothing but two errors is a reason to go on; what the end means is told."""
    Polls(bank, refused("authorization_pending"), refused(error))

    with pytest.raises(Refused, match=error):
        ais_journey(asking)
    assert bank.calls.count("POST /token") == 2
    end = recorder.steps[-1].facts.get("the end")
    assert end is None if told is None else end is not None and end.startswith(told)


def test_a_token_before_the_decision_is_not_used(asking: Stage, bank: FakeBank) -> None:
    """Nobody has said yes to it."""
    Polls(bank, TOKEN)

    with pytest.raises(UnexpectedResponse, match="before the PSU has decided"):
        ais_journey(asking)
    assert "GET /v1/accounts" not in bank.calls


def test_a_token_that_is_not_bound_to_us_is_not_used(asking: Stage, bank: FakeBank) -> None:
    """RFC 8705 §3.1, on this way as on the other."""
    bank.answers["POST /introspect"] = lambda _: answer(200, {"active": True, "cnf": {"x5t#S256": "other"}})

    with pytest.raises(UnexpectedResponse, match="bound to other"):
        ais_journey(asking)


def test_payments_and_funds_confirmation_go_the_same_way(asking: Stage, bank: FakeBank) -> None:
    """Each at its own path, by its own scope."""
    payment, consent = "/v1/payments/sepa-credit-transfers/p1", "/v2/consents/confirmation-of-funds/f1"
    for path in (payment, consent):
        bank.answers[f"GET {path}/authorisations"] = bank.answers[f"GET {AUTHORISATIONS}"]

    pis_journey(asking, ANNA)
    Polls(bank, refused("authorization_pending"), TOKEN)
    piis_journey(asking, ANNA)

    asked = [form(request)["scope"] for request in bank.requests if request.url.endswith("/bc-authorize")]
    assert asked == ["PIS:p1", "PIIS:f1"]
    assert {f"GET {payment}/authorisations", f"GET {consent}/authorisations"} <= {*bank.calls}


def test_the_story_shows_no_whole_secret(asking: Stage, recorder: Recorder) -> None:
    """Who has the id of a request and the client's certificate has its tokens."""
    ais_journey(asking)

    told = json.dumps([step.as_json() for step in recorder.steps], ensure_ascii=False)
    assert "r3q…" in told
    assert "r3quest-s3cret" not in told


def test_a_server_that_asks_nobody_is_told_apart(asking: Stage, bank: FakeBank) -> None:
    """CIBA Core §4: its metadata has no such endpoint."""
    metadata = json.loads(json.dumps(METADATA))
    del metadata["mtls_endpoint_aliases"]["backchannel_authentication_endpoint"]
    bank.answers["GET /.well-known/oauth-authorization-server"] = lambda _: answer(200, metadata)

    with pytest.raises(UnexpectedResponse, match="no backchannel_authentication_endpoint"):
        ais_journey(asking)


def test_a_client_that_has_not_registered_is_told_how(identity: TppIdentity) -> None:
    """CIBA Core §4; the bank would say no more than that it may not."""
    with pytest.raises(IdentityUnusable, match=r"sandbox tpp change-client acme … --ciba poll"):
        backchannel_of(identity)

    assert backchannel_of(dataclasses.replace(identity, client=ClientTraits(delivery_mode="poll"))) == Backchannel()


@pytest.mark.parametrize(("too_soon", "after"), [(False, 7), (True, 12)])
def test_the_interval_grows_by_five_seconds(too_soon: bool, after: int) -> None:  # noqa: FBT001 - a case
    """CIBA Core §11."""
    assert Undecided(too_soon=too_soon).interval_after(7) == after


# --- a person in the bank app ---


def test_a_person_is_told_where_to_decide_and_waited_for(asking: Stage, bank: FakeBank, pauses: list[float]) -> None:
    """The address of this TPP's bank, whose login, and the message to look for; nobody decides in the person's place."""
    invitations: list[AppInvitation] = []
    Polls(bank, *[refused("authorization_pending")] * 3, TOKEN)

    ais_journey(dataclasses.replace(asking, backchannel=Backchannel(invite=invitations.append)))

    (invitation,) = invitations
    assert invitation.url == f"{asking.identity.issuer}/psu/app/at/{asking.identity.authorisation_number}"
    assert (invitation.psu, invitation.password, invitation.seconds) == (ANNA, "x", 60)
    asked = next(form(request) for request in bank.requests if request.url.endswith("/bc-authorize"))
    assert invitation.message == asked["binding_message"]
    assert "POST /sandbox/v1/psu-interactions" not in bank.calls
    assert pauses == [5, 5, 5]


def test_a_person_who_is_pinged_for_is_waited_for_as_long_as_the_request_lives(pinged: Stage, bank: FakeBank) -> None:
    """And a little longer: the bank tells of a request that has run out, too."""
    backchannel = dataclasses.replace(pinged.backchannel, invite=lambda _: None)  # type: ignore[type-var]

    ais_journey(dataclasses.replace(pinged, backchannel=backchannel))

    assert Heard.waits == [("r3quest-s3cret", 90)]
    assert "POST /sandbox/v1/psu-interactions" not in bank.calls


# --- told by a ping ---------------------------------------------------------------------------------------------------


class Heard:
    """Stands in for the listener (tests/unit/tpp_client/test_pings.py tries that): notes what it is made with and waits for."""

    tokens: ClassVar[list[str]] = []
    waits: ClassVar[list[tuple[str, float]]] = []

    def __init__(self, _: PingEndpoint, token: str) -> None:
        self.tokens.append(token)

    def wait(self, auth_req_id: str, *, seconds: float) -> None:
        self.waits.append((auth_req_id, seconds))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def pinged(asking: Stage, identity: TppIdentity, bank: FakeBank, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Lend a stage whose client is pinged: the first poll brings tokens."""
    monkeypatch.setattr("tpp_client.journeys.asking.PingListener", Heard)
    Heard.tokens.clear()
    Heard.waits.clear()
    Polls(bank, TOKEN)
    traits = ClientTraits(delivery_mode="ping", notification_endpoint="https://localhost:8451/ping")
    return dataclasses.replace(asking, backchannel=backchannel_of(dataclasses.replace(identity, client=traits)))


def test_who_is_pinged_fetches_the_token_once_without_waiting(pinged: Stage, bank: FakeBank, pauses: list[float]) -> None:
    """CIBA Core §10.2: the ping comes after the decision, and then the token is there."""
    ais_journey(pinged)

    assert bank.calls[2:6] == [
        "POST /bc-authorize",
        f"GET {AUTHORISATIONS}",
        "POST /sandbox/v1/psu-interactions",
        "POST /token",
    ]
    assert (Heard.waits, pauses) == ([("r3quest-s3cret", 30)], [])


def test_the_bank_is_given_a_token_to_ping_with(pinged: Stage, bank: FakeBank) -> None:
    """CIBA Core §7.1: 128 bits or more, another one for each request."""
    ais_journey(pinged)
    ais_journey(pinged)

    given = [form(request)["client_notification_token"] for request in bank.requests if request.url.endswith("/bc-authorize")]
    assert given == Heard.tokens
    assert len({*given}) == 2
    assert all(len(token) >= 22 for token in given)


def test_the_story_does_not_show_the_token_of_the_ping(pinged: Stage, recorder: Recorder) -> None:
    """Who has it can ping the TPP."""
    ais_journey(pinged)

    told = json.dumps([step.as_json() for step in recorder.steps])
    assert "client_notification_token" in told
    assert Heard.tokens[0] not in told


def test_a_ping_that_tells_too_much_is_not_enough(pinged: Stage, bank: FakeBank) -> None:
    """Tokens come from the token endpoint alone."""
    Polls(bank, refused("authorization_pending"))

    with pytest.raises(UnexpectedResponse, match="says now that it has not"):
        ais_journey(pinged)

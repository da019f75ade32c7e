"""A grant's life as the simulator goes it: made, added to, replaced, given back, and every answer looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.tpp_client.fakes import EDGE, METADATA, answer
from tpp_client.errors import Refused, TppClientError, UnexpectedResponse
from tpp_client.grants import GrantAction
from tpp_client.journeys.granting import change_grant, grants_journey, query_grant, revoke_grant

if TYPE_CHECKING:
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tpp_client.journeys.narration import Recorder
    from tpp_client.journeys.stage import Stage
    from tpp_client.wire import HttpRequest, HttpResponse

ANNA = "anna.weber"
GONE = answer(404, {"error": "invalid_grant_id", "error_description": "names no grant"})


def form(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}


class Grants:
    """The bank's one grant: what is pushed is what is granted, once the code is redeemed."""

    def __init__(self, bank: FakeBank) -> None:
        self.pushed: dict[str, str] = {}
        self.names: list[str] = ["g1"]
        self.held: list[str] = []
        self.is_over = False
        bank.answers |= {
            "GET /.well-known/oauth-authorization-server": lambda _: answer(200, METADATA | ENDPOINTS),
            "GET /sandbox/v1/clock": lambda _: answer(200, CLOCK),
            "GET /sandbox/v1/data": lambda _: answer(200, {"tenant": "t", "personas": PERSONAS}),
            "POST /par": self._push,
            "POST /token": self._token,
            "POST /sandbox/v1/psu-interactions": self._decide,
            "GET /grants/g1": lambda _: GONE if self.is_over else answer(200, self._told()),
            "DELETE /grants/g1": self._revoke,
        }

    def _push(self, request: HttpRequest) -> HttpResponse:
        self.pushed = form(request)
        return answer(201, {"request_uri": "urn:1", "expires_in": 90})

    def _decide(self, _: HttpRequest) -> HttpResponse:
        query = f"code=c0de&state={self.pushed['state']}&iss={METADATA['issuer']}"
        return answer(200, {"redirect": f"{self.pushed['redirect_uri']}?{query}"})

    def _token(self, request: HttpRequest) -> HttpResponse:
        token = {"access_token": "acc3ss", "token_type": "Bearer", "expires_in": 300}
        if form(request)["grant_type"] == "client_credentials":
            return answer(200, token)
        wanted = [each["iban"] for each in json.loads(self.pushed["authorization_details"])[0]["access"]["accounts"]]
        self.held = [*self.held, *wanted] if self.pushed["grant_management_action"] == "merge" else wanted
        return answer(200, token | {"grant_id": self.names[0], "authorization_details": self._told()["authorization_details"]})

    def _revoke(self, _: HttpRequest) -> HttpResponse:
        self.is_over = True
        return answer(204)

    def _told(self) -> dict[str, Any]:
        detail = {"consentId": "c1", "consentStatus": "valid", "access": {"accounts": [{"iban": iban} for iban in self.held]}}
        return {"scopes": [{"scope": "AIS:c1"}], "authorization_details": [detail], "expires_at": 1_800_000_000}


ENDPOINTS = {"grant_management_endpoint": f"{EDGE}/grants", "pushed_authorization_request_endpoint": f"{EDGE}/par"}
CLOCK = {"now": "2026-11-22T10:00:00+00:00", "realTime": "2026-11-22T10:00:00+00:00", "aheadSeconds": 0}
PERSONAS = [
    {
        "psu": ANNA,
        "name": "Anna Weber",
        "password": "x",
        "accounts": [{"id": "a1", "iban": "DE1", "currency": "EUR"}, {"id": "a2", "iban": "DE2", "currency": "EUR"}],
    }
]


@pytest.fixture
def grants(bank: FakeBank) -> Grants:
    return Grants(bank)


def test_a_grant_is_gone_from_its_making_to_its_end(stage: Stage, bank: FakeBank, grants: Grants) -> None:
    """Made for one account, a second one added, replaced by the second, given back, unknown."""
    ended = grants_journey(stage, ANNA)

    asked = [form(request) for request in bank.requests if request.url.endswith("/par")]
    assert [each["grant_management_action"] for each in asked] == ["create", "merge", "replace"]
    assert [each.get("grant_id") for each in asked] == [None, "g1", "g1"]
    assert (grants.held, ended.as_json()) == (["DE2"], {"grant_id": "g1", "status": "revoked"})
    assert bank.calls[-1] == "GET /grants/g1"


def test_each_call_bears_a_token_for_it_alone(stage: Stage, bank: FakeBank, grants: Grants) -> None:
    """Grant Management §6.1: asking and giving back have a scope each; no PSU's token is sent there."""
    grants.held = ["DE1"]
    query_grant(stage, "g1")
    revoke_grant(stage, "g1")

    scopes = [form(request)["scope"] for request in bank.requests if request.url.endswith("/token")]
    assert scopes == ["grant_management_query", "grant_management_revoke"]


def test_what_is_wanted_in_full_is_pushed_by_any_client(stage: Stage, bank: FakeBank, grants: Grants) -> None:
    """A client of the Berlin Group's way may write its other requests into an address."""
    assert not stage.voice.traits.pushes_requests

    result = change_grant(stage, GrantAction.CREATE, ANNA, ibans=("DE2",))

    assert "POST /par" in bank.calls
    assert (grants.held, result.state and result.state.ibans) == (["DE2"], ("DE2",))
    opened = json.loads(next(r.body or b"" for r in bank.requests if r.url.endswith("/psu-interactions")))["url"]
    assert set(parse_qs(urlsplit(opened).query)) == {"client_id", "request_uri"}


def test_another_grant_than_the_one_that_was_named_is_not_taken(stage: Stage, grants: Grants) -> None:
    """§5.2: a change keeps the name."""
    grants.names = ["g2"]

    with pytest.raises(UnexpectedResponse, match="names the grant g2, where g1"):
        change_grant(stage, GrantAction.MERGE, ANNA, grant_id="g1")


def test_a_grant_without_its_name_is_not_taken(stage: Stage, bank: FakeBank, grants: Grants) -> None:
    """§5.5."""
    token = {"access_token": "acc3ss", "token_type": "Bearer", "expires_in": 300}
    details = [{"consentId": "c1", "access": {}}]
    bank.answers["POST /token"] = lambda _: answer(200, token | {"authorization_details": details})
    assert grants.names

    with pytest.raises(UnexpectedResponse, match="names the grant None"):
        change_grant(stage, GrantAction.CREATE, ANNA)


def test_a_bank_that_merges_nothing_is_found_out(stage: Stage, bank: FakeBank, grants: Grants) -> None:
    """The grant is looked at after each change."""
    bank.answers["POST /par"] = lambda request: _as_replace(grants, request)

    with pytest.raises(TppClientError, match="the grant is for DE2, and DE1, DE2 was asked for"):
        grants_journey(stage, ANNA)


def test_a_bank_that_gives_nothing_back_is_found_out(stage: Stage, bank: FakeBank, grants: Grants) -> None:
    """It says 204 and goes on telling of the grant."""
    bank.answers["DELETE /grants/g1"] = lambda _: answer(204)
    assert not grants.is_over

    with pytest.raises(UnexpectedResponse, match="was given back, and the bank still tells of it"):
        grants_journey(stage, ANNA)


def test_what_an_unknown_grant_means_is_told(stage: Stage, grants: Grants, recorder: Recorder) -> None:
    """Beside the bank's own words."""
    grants.is_over = True

    with pytest.raises(Refused, match="invalid_grant_id"):
        query_grant(stage, "g1")
    assert "it was given back, has run out" in recorder.steps[-1].facts["the end"]


def _as_replace(grants: Grants, request: HttpRequest) -> HttpResponse:
    done = grants._push(request)
    grants.pushed["grant_management_action"] = "replace"
    return done

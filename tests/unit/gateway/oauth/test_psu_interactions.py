"""`POST /sandbox/v1/psu-interactions`: a PSU without a browser, by the same way and under the same rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from gateway.oauth.bank import Decision
from tests.support.authorization import (
    CLIENT,
    ISSUER,
    NUMBER,
    OTHER_NUMBER,
    REDIRECT_URI,
    authority,
    authorization_url,
    qwac,
)

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from gateway.oauth.bank import Interaction
    from tests.support.authorization import AuthorizationWorld


def problem_of(answer: TestResponse, status: int = 422) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: dict[str, object] = answer.get_json()
    assert {"type", "status", "code", "title", "detail", "reason", "hint", "clause"} <= set(body)
    return body


def test_an_approval_answers_the_redirect_with_a_code(world: AuthorizationWorld) -> None:
    """The code is a real one: it gives tokens."""
    redirect = world.be_psu().get_json()["redirect"]
    answer = {name: values[0] for name, values in parse_qs(urlsplit(redirect).query).items()}

    assert redirect.startswith(f"{REDIRECT_URI}?code=")
    assert (answer["state"], answer["iss"]) == ("af0ifjsldkj", ISSUER)
    assert world.redeem(answer["code"]).status_code == 200


def test_a_refusal_answers_the_redirect_with_the_error(world: AuthorizationWorld) -> None:
    """As the browser would be sent."""
    redirect = world.be_psu(result="REJECTED").get_json()["redirect"]

    assert parse_qs(urlsplit(redirect).query)["error"] == ["access_denied"]


def test_the_banks_answer_to_another_decision_gives_no_code(world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it answers to a decision is held against what was begun, as what a browser comes back with is."""
    decide = world.bank.decide

    def of_another_tpp(*arguments: Any, **options: Any) -> Interaction:
        return replace(decide(*arguments, **options), tenant=OTHER_NUMBER)

    monkeypatch.setattr(world.bank, "decide", of_another_tpp)
    query = urlencode({"client_id": CLIENT, "request_uri": world.request_uri(scope="accounts")})

    assert problem_of(world.be_psu())["reason"] == "authorization.mismatch"
    assert problem_of(world.be_psu(url=f"{ISSUER}/authorize?{query}"))["reason"] == "authorization.mismatch"
    assert world.bank.ended == ["AIS:made-1"]


def test_the_chosen_accounts_reach_the_bank(world: AuthorizationWorld) -> None:
    """Left out means: what the consent asks for."""
    world.be_psu(accounts=["DE89370400440532013000"])
    world.be_psu()

    assert world.bank.decisions == [("anna.weber", ["DE89370400440532013000"]), ("anna.weber", None)]


def test_another_tpps_authorization_url_is_refused(world: AuthorizationWorld) -> None:
    """Nobody may approve in the name of others' PSUs; nothing is put before anybody."""
    problem = problem_of(world.be_psu(certificate=qwac(OTHER_NUMBER)), 403)

    assert problem["code"] == "interaction.other_tpp"
    assert not world.bank.begun


@pytest.mark.parametrize(
    ("certificate", "reason"), [(None, "mtls.missing"), (authority().qseal(), "mtls.not_a_qwac")], ids=["none", "qseal"]
)
def test_a_qwac_is_needed(world: AuthorizationWorld, certificate: object, reason: str) -> None:
    """And the refusal is a problem document here."""
    answer = world.edge("/sandbox/v1/psu-interactions", certificate, json={})  # type: ignore[arg-type]

    assert problem_of(answer, 401)["code"] == reason


@pytest.mark.parametrize("listener", ["front", "portal", "welcome"])
def test_a_certificate_from_another_listener_proves_nothing(world: AuthorizationWorld, listener: str) -> None:
    """Only the edge listener judges certificates."""
    answer = world.edge("/sandbox/v1/psu-interactions", qwac(), json={}, headers={"X-Sandbox-Listener": listener})

    assert problem_of(answer, 404)["code"] == "oauth.listener"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://localhost:8441/authorise?client_id=x", id="other path"),
        pytest.param("https://localhost:8441/authorize/resume/x", id="longer path"),
        pytest.param("https://evil.example/authorize?client_id=x", id="other host"),
        pytest.param("http://localhost:8441/authorize?client_id=x", id="no TLS"),
        pytest.param("https://a@localhost:8441/authorize?client_id=x", id="user name"),
        pytest.param("https://[/authorize", id="unreadable"),
        pytest.param("/authorize?client_id=x", id="relative"),
    ],
)
def test_only_an_authorization_url_will_do(world: AuthorizationWorld, url: str) -> None:
    """Of this very server."""
    problem = problem_of(world.be_psu(url=url))

    assert problem["code"] == "interaction.url"
    assert problem["errors"] == [
        {
            "field": "url",
            "problem": f"must be the authorization URL that a browser would open, {ISSUER}/authorize?client_id=..., "
            "a scaRedirect link, or the address of an authorisation",
        }
    ]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        pytest.param({"client_id": "client-9"}, "client.unknown", "client_id: client-9 is not registered", id="client"),
        pytest.param({"redirect_uri": "https://evil.example/"}, "client.redirect_uri", "is not registered", id="redirect URI"),
        pytest.param({"code_challenge": None}, "oauth.parameter", "code_challenge: is missing", id="PKCE"),
        pytest.param({"scope": "AIS"}, "oauth.scope", "exactly one of", id="scope"),
        pytest.param({"scope": "AIS:consent-9"}, "resource.unknown", "names no consent", id="consent"),
    ],
)
def test_the_url_is_judged_as_a_browsers_would_be(
    world: AuthorizationWorld, change: dict[str, str | None], code: str, said: str
) -> None:
    """The same checks, told as a problem with the url."""
    problem = problem_of(world.be_psu(url=authorization_url(**change)))

    assert problem["code"] == code
    assert said in str(problem["detail"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"psu": None}, "psu", id="no psu"),
        pytest.param({"psu": ""}, "psu", id="empty psu"),
        pytest.param({"psu": 7}, "psu", id="psu a number"),
        pytest.param({"result": "approved"}, "result", id="lower case"),
        pytest.param({"accounts": "DE89"}, "accounts", id="accounts no list"),
        pytest.param({"accounts": [7]}, "accounts.0", id="account a number"),
        pytest.param({"accounts": ["x"] * 101}, "accounts", id="too many accounts"),
        pytest.param({"url": "x" * 8001}, "url", id="long url"),
        pytest.param({"otp": "123456"}, "otp", id="unknown member"),
    ],
)
def test_a_faulty_body_is_told_by_field(world: AuthorizationWorld, change: dict[str, object], field: str) -> None:
    """422, each field with what is wrong."""
    problem = problem_of(world.be_psu(**change))

    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [entry["field"] for entry in errors] == [field]
    assert not world.bank.begun


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"'])
def test_what_is_no_object_is_told(world: AuthorizationWorld, body: bytes) -> None:
    """Not a 500."""
    answer = world.edge("/sandbox/v1/psu-interactions", qwac(), data=body, headers={"Content-Type": "application/json"})

    assert problem_of(answer)["code"] == "interaction.body"


def test_another_content_type_is_told(world: AuthorizationWorld) -> None:
    """A form would be guessed at."""
    assert problem_of(world.edge("/sandbox/v1/psu-interactions", qwac(), data={"psu": "x"}))["code"] == "interaction.body"


def test_an_unknown_psu_is_told(world: AuthorizationWorld) -> None:
    """The bank's own reason, and the field."""
    problem = problem_of(world.be_psu(psu="nobody"))

    assert (problem["code"], problem["errors"]) == ("psu.unknown", [{"field": "psu", "problem": "no PSU nobody"}])


def test_a_bank_out_of_reach_is_told(world: AuthorizationWorld) -> None:
    """503, so that a client tries again."""
    world.bank.is_down = True

    assert problem_of(world.be_psu(), 503)["code"] == "upstream.bank"


def test_the_request_is_bound_to_no_browser(world: AuthorizationWorld) -> None:
    """Nobody's cookie fits, so a leaked one-time id opens nothing."""
    world.be_psu()

    assert world.resume().status_code == 403
    assert world.bank.begun[0].client_id == CLIENT


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost:8441/psu/authorisations/7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11?state=x",
        "https://localhost:8443/v1/consents/c/authorisations/7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11",
        "https://localhost:8443/v2/consents/confirmation-of-funds/c/authorisations/7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11",
    ],
)
def test_an_address_of_the_banks_is_decided_by_the_bank(world: AuthorizationWorld, url: str) -> None:
    """In the name of the TPP whose certificate it is; where no browser is meant there is no redirect."""
    answer = world.be_psu(url=url, accounts=["DE89"])

    assert answer.get_json() == {"redirect": None, "scaStatus": "finalised"}
    (asked,) = world.bank.addressed
    assert (asked.tenant, asked.address) == (NUMBER, url)
    assert asked.decision == Decision(psu="anna.weber", approved=True, accounts=["DE89"])


def test_what_the_bank_refuses_at_an_address_is_told(world: AuthorizationWorld) -> None:
    """With the field it lies in; and without the bank, that it can't be reached."""
    url = "https://localhost:8443/v1/consents/c/authorisations/7d1d0a3e-6a0e-4f52-9c39-0a4ed32b2a11"

    assert problem_of(world.be_psu(url=url, psu="nobody"))["code"] == "psu.unknown"
    world.bank.is_down = True
    assert problem_of(world.be_psu(url=url), 503)["code"] == "upstream.bank"


@pytest.mark.parametrize(("scope", "made"), [("accounts", 1), ("AIS:consent-1", 0)], ids=["made for it", "there before"])
def test_a_decision_that_the_bank_refused_may_be_corrected(world: AuthorizationWorld, scope: str, made: int) -> None:
    """With the same pushed request, which nothing has come of; after that it is used up."""
    query = urlencode({"client_id": CLIENT, "request_uri": world.request_uri(scope=scope)})
    url = f"{ISSUER}/authorize?{query}"
    assert problem_of(world.be_psu(url=url, psu="nobody"))["code"] == "psu.unknown"
    assert world.be_psu(url=url).status_code == 200
    assert (len(world.bank.made), world.bank.ended) == (made, [])
    assert problem_of(world.be_psu(url=url))["code"] == "par.used"

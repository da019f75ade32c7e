"""`POST /token` with a proof of possession: who gets a token that is bound to a key, and who gets none (RFC 9449 §5, §10)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select

from gateway.limits.accounts import StoreUnreachable
from gateway.limits.store import SqlAccountStore
from gateway.oauth.bank import InteractionStatus
from gateway.oauth.model import secret_sha256
from gateway.register.model import ClientProfile
from gateway.tables.oauth import access_tokens
from tests.support.authorization import (
    CLIENT,
    ISSUER,
    REDIRECT_URI,
    START,
    VERIFIER,
    AuthorizationWorld,
    answer_of,
    authorization_parameters,
    authorization_url,
    client,
    qwac,
)
from tests.support.dpop import Prover

if TYPE_CHECKING:
    from sqlalchemy import Row
    from werkzeug.test import TestResponse

TOKEN_ENDPOINT = "https://localhost:8443/token"


@pytest.fixture(scope="module")
def prover() -> Prover:
    """Lend a client's key."""
    return Prover()


def bind(world: AuthorizationWorld) -> None:
    """Let the client's tokens be bound to keys."""
    world.register.save_client(client(profile=ClientProfile.FAPI2, dpop_bound_access_tokens=True))


def proof_by(prover: Prover, **changes: Any) -> str:
    return prover.proof("POST", TOKEN_ENDPOINT, **{"iat": int(START.timestamp())} | changes)


def alone(world: AuthorizationWorld, *proofs: str, **parameters: str) -> TestResponse:
    """Ask for a token of the client's own, with these proofs."""
    data = {"client_id": CLIENT, "grant_type": "client_credentials"} | parameters
    return world.edge("/token", qwac(), data=data, headers={"DPoP": ",".join(proofs)} if proofs else {})


def refusal_of(answer: TestResponse) -> tuple[str, str]:
    assert answer.status_code == 400, answer.text
    return answer.get_json()["error"], answer.get_json()["reason"]


def kept(world: AuthorizationWorld, token: str) -> Row[Any]:
    with world.engine.connect() as connection:
        return connection.execute(select(access_tokens).where(access_tokens.c.sha256 == secret_sha256(token))).one()


def test_a_token_is_bound_to_the_key_alone(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §5, §6.1, §6.2: said in the answer, kept for the edge, and told at introspection."""
    bind(world)
    body = alone(world, proof_by(prover)).get_json()

    assert body["token_type"] == "DPoP"
    assert (kept(world, body["access_token"]).jkt, kept(world, body["access_token"]).thumbprint) == (prover.jkt, "")
    told = world.introspect(body["access_token"])
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": prover.jkt})


def test_without_a_proof_such_a_client_gets_nothing(world: AuthorizationWorld) -> None:
    """RFC 9449 §5.2: its registration says that it always brings one."""
    bind(world)
    assert refusal_of(alone(world)) == ("invalid_dpop_proof", "dpop.missing")


def test_any_other_clients_proof_binds_to_key_and_certificate(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §5: a proof is never passed over; what the client was bound by before stays."""
    body = alone(world, proof_by(prover)).get_json()

    assert body["token_type"] == "DPoP"
    assert world.introspect(body["access_token"])["cnf"] == {"x5t#S256": qwac().thumbprint, "jkt": prover.jkt}
    assert alone(world).get_json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"htm": "GET"}, "dpop.htm"),
        ({"htu": "https://localhost:8443/introspect"}, "dpop.htu"),
        ({"iat": int(START.timestamp()) - 61}, "dpop.iat"),
        ({"header": {"typ": "JWT"}}, "dpop.typ"),
    ],
)
def test_a_proof_that_is_no_good(world: AuthorizationWorld, prover: Prover, changes: dict[str, Any], reason: str) -> None:
    """RFC 9449 §5: invalid_dpop_proof, whoever sends it."""
    assert refusal_of(alone(world, proof_by(prover, **changes))) == ("invalid_dpop_proof", reason)


def test_two_proofs_are_none(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §4.3 check 1, though the server in front joins the fields."""
    assert refusal_of(alone(world, proof_by(prover), proof_by(prover))) == ("invalid_dpop_proof", "dpop.repeated")


def test_a_proof_gives_one_token(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §11.1: also to another process on the same database."""
    proof = proof_by(prover)
    assert alone(world, proof).status_code == 200
    assert refusal_of(alone(world, proof)) == ("invalid_dpop_proof", "dpop.replayed")
    other = AuthorizationWorld(world.engine, populate=False)
    assert refusal_of(alone(other, proof)) == ("invalid_dpop_proof", "dpop.replayed")


def test_a_code_outlives_a_proof_that_was_no_good(world: AuthorizationWorld, prover: Prover) -> None:
    """The code is redeemed with the next proof: nothing was given for it yet."""
    code = world.code()
    redemption = _redemption(code)
    wrong = world.edge("/token", qwac(), data=redemption, headers={"DPoP": proof_by(prover, htm="GET")})
    assert refusal_of(wrong) == ("invalid_dpop_proof", "dpop.htm")
    good = world.edge("/token", qwac(), data=redemption, headers={"DPoP": proof_by(prover)})
    assert good.get_json()["token_type"] == "DPoP"


def test_a_code_outlives_a_store_of_proofs_that_is_out_of_reach(
    world: AuthorizationWorld, prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether the proof was used before: the client is told to come again, and may do so with both."""
    data, headers = _redemption(world.code()), {"DPoP": proof_by(prover)}

    def fail(*_: object) -> None:
        raise StoreUnreachable("database is locked")

    with monkeypatch.context() as failing:
        failing.setattr(SqlAccountStore, "take", fail)
        refused = world.edge("/token", qwac(), data=data, headers=headers)

    assert (refused.status_code, refused.get_json()["error"]) == (503, "temporarily_unavailable")
    assert refused.headers["Retry-After"] == "1"
    assert world.edge("/token", qwac(), data=data, headers=headers).status_code == 200


def test_a_refresh_token_is_the_clients_whatever_its_key(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §5: a confidential client changes its key; each access token is bound to the key of its own request."""
    bound = world.edge("/token", qwac(), data=_redemption(world.code()), headers={"DPoP": proof_by(prover)}).get_json()
    other = Prover()
    data = {"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": bound["refresh_token"]}
    renewed = world.edge("/token", qwac(), data=data, headers={"DPoP": proof_by(other)}).get_json()

    assert kept(world, renewed["access_token"]).jkt == other.jkt


def test_a_code_is_redeemed_with_the_key_that_was_asked_for(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §10: `dpop_jkt` binds the whole way."""
    for headers in ({}, {"DPoP": proof_by(Prover())}):
        redemption = _redemption(world.code(dpop_jkt=prover.jkt))
        assert refusal_of(world.edge("/token", qwac(), data=redemption, headers=headers)) == ("invalid_grant", "grant.dpop_jkt")
    redemption = _redemption(world.code(dpop_jkt=prover.jkt))
    assert world.edge("/token", qwac(), data=redemption, headers={"DPoP": proof_by(prover)}).status_code == 200


def test_a_key_that_is_asked_for_is_a_thumbprint(world: AuthorizationWorld) -> None:
    """RFC 7638: anything else could never be met."""
    answer = world.authorize(dpop_jkt="my-key")
    assert answer.status_code == 303
    assert "error=invalid_request" in answer.headers["Location"]
    assert "dpop_jkt" in answer.headers["Location"]


def test_a_nonce_is_asked_for_and_given(
    world: AuthorizationWorld, prover: Prover, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9449 §8: use_dpop_nonce with the nonce, which the next proof holds."""
    (tmp_path / "certs").mkdir()
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    asking = AuthorizationWorld(world.engine, populate=False, dpop_nonce=True)
    refused = alone(asking, proof_by(prover))
    assert refusal_of(refused) == ("use_dpop_nonce", "dpop.nonce")

    proof = proof_by(prover, nonce=refused.headers["DPoP-Nonce"])
    assert alone(asking, proof).get_json()["token_type"] == "DPoP"
    asking.clock.advance(dt.timedelta(minutes=10))
    old = proof_by(prover, nonce=refused.headers["DPoP-Nonce"], iat=int(asking.clock.now().timestamp()))
    assert refusal_of(alone(asking, old)) == ("use_dpop_nonce", "dpop.nonce")


@pytest.mark.parametrize("path", ["/token", "/par"])
def test_the_route_says_whether_a_nonce_is_needed(
    world: AuthorizationWorld, prover: Prover, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """By the edge's word, which goes before the settings'."""
    (tmp_path / "certs").mkdir()
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    data = authorization_parameters() if path == "/par" else {"client_id": CLIENT, "grant_type": "client_credentials"}

    def sent(said: str) -> TestResponse:
        proof = prover.proof("POST", f"https://localhost:8443{path}", iat=int(START.timestamp()))
        return asking.edge(path, qwac(), data=data, headers={"DPoP": proof, "X-Sandbox-DPoP-Nonce": said})

    for usual in (True, False):
        asking = AuthorizationWorld(world.engine, populate=False, dpop_nonce=usual)
        assert refusal_of(sent("required")) == ("use_dpop_nonce", "dpop.nonce")
        assert sent("off").status_code in {200, 201}


def _redemption(code: str) -> dict[str, str]:
    return {
        "client_id": CLIENT,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }


def test_a_proof_beside_a_pushed_request_binds_its_code(world: AuthorizationWorld, prover: Prover) -> None:
    """RFC 9449 §10.1: as `dpop_jkt` does, and never against it."""
    address = "https://localhost:8443/par"
    data = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url()).query).items()}

    def push(**changes: str) -> TestResponse:
        proof = prover.proof("POST", address, iat=int(START.timestamp()))
        return world.edge("/par", qwac(), data=data | changes, headers={"DPoP": proof})

    assert refusal_of(push(dpop_jkt="0" * 43)) == ("invalid_request", "oauth.parameter")
    request_uri = push().get_json()["request_uri"]
    world.front(f"{ISSUER}/authorize?{urlencode({'client_id': CLIENT, 'request_uri': request_uri})}")
    world.bank.settle(InteractionStatus.APPROVED)
    code = answer_of(world.resume())["code"]
    assert refusal_of(world.edge("/token", qwac(), data=_redemption(code))) == ("invalid_grant", "grant.dpop_jkt")
    good = world.edge("/token", qwac(), data=_redemption(code), headers={"DPoP": proof_by(prover)})
    assert good.get_json()["token_type"] == "DPoP"


def test_half_a_character_in_a_proof_is_refused(world: AuthorizationWorld, prover: Prover) -> None:
    r"""`\ud800` is JSON, and no text that could be hashed: a refusal, and no fault of the server's."""
    bind(world)
    error, reason = refusal_of(alone(world, proof_by(prover, jti="\ud800")))
    assert (error, reason) == ("invalid_dpop_proof", "dpop.malformed")

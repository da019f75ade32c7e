"""`POST /token`: codes redeemed once, by whom they were given to, with the verifier, and what the answer holds."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from gateway.oauth.grant_management.model import QUERY_SCOPE, REVOKE_SCOPE
from gateway.oauth.model import secret_sha256
from gateway.tables.configuration import changes
from gateway.tables.oauth import access_tokens, refresh_tokens
from psd2.roles import PspRole
from tests.support.authorization import (
    CLIENT,
    CONSENT,
    NUMBER,
    OTHER_CLIENT,
    OTHER_NUMBER,
    PAYMENT,
    REDIRECT_URI,
    START,
    VERIFIER,
    answer_of,
    qwac,
    s256,
    tpp,
)

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld


def refusal_of(answer: TestResponse, status: int = 400) -> tuple[str, str]:
    assert answer.status_code == status, answer.text
    body = answer.get_json()
    assert {"error", "error_description", "reason", "hint", "clause"} == set(body)
    return body["error"], body["error_description"]


def test_a_code_gives_tokens(world: AuthorizationWorld) -> None:
    """RFC 6749 §5.1: exactly these members, and not to be stored by anybody."""
    answer = world.redeem(world.code())

    assert answer.status_code == 200
    body = answer.get_json()
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, f"AIS:{CONSENT}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "application/json"


def test_tokens_have_256_bits_and_are_kept_as_hashes(world: AuthorizationWorld) -> None:
    """Who reads the database can use none."""
    tokens = world.tokens()

    assert (len(tokens["access_token"]), len(tokens["refresh_token"])) == (43, 43)
    with world.engine.connect() as connection:
        kept = [*connection.execute(select(access_tokens)), *connection.execute(select(refresh_tokens))]
    assert [row.sha256 for row in kept] == [secret_sha256(tokens["access_token"]), secret_sha256(tokens["refresh_token"])]
    assert tokens["access_token"] not in repr(kept)
    assert tokens["refresh_token"] not in repr(kept)


def test_an_access_token_is_kept_as_the_edge_reads_it(world: AuthorizationWorld) -> None:
    """docs/architecture.md §3.5: whose it is, for what, bound to which certificate, until when."""
    sha256 = secret_sha256(world.tokens()["access_token"])

    with world.engine.connect() as connection:
        row = connection.execute(select(access_tokens).where(access_tokens.c.sha256 == sha256)).one()
    assert (row.client_id, row.authorisation_number, row.scope) == (CLIENT, NUMBER, f"AIS:{CONSENT}")
    assert (row.subject, row.thumbprint, row.revoked_at) == ("anna.weber", qwac().thumbprint, None)
    assert (row.issued_at, row.expires_at) == (START.timestamp(), START.timestamp() + 600)


def test_a_payment_leaves_nothing_to_renew(world: AuthorizationWorld) -> None:
    """It is authorised once: no refresh token."""
    assert "refresh_token" not in world.tokens(scope=f"PIS:{PAYMENT}")


def test_a_code_works_once(world: AuthorizationWorld) -> None:
    """And a second time it takes back what it gave: one of the two was a thief (RFC 6749 §4.1.2)."""
    code = world.code()
    tokens = world.redeem(code).get_json()

    assert refusal_of(world.redeem(code))[0] == "invalid_grant"
    assert world.introspect(tokens["access_token"]) == {"active": False}
    assert world.introspect(tokens["refresh_token"]) == {"active": False}
    assert refusal_of(world.refresh(tokens["refresh_token"]))[0] == "invalid_grant"


def test_a_replay_is_told_to_every_worker(world: AuthorizationWorld) -> None:
    """The change feed names each token that died."""
    code = world.code()
    tokens = world.redeem(code).get_json()
    world.redeem(code)

    with world.engine.connect() as connection:
        told = {row.key for row in connection.execute(select(changes).where(changes.c.kind == "token"))}
    assert told == {secret_sha256(tokens["access_token"]), secret_sha256(tokens["refresh_token"])}


def test_a_replay_spares_other_grants(world: AuthorizationWorld) -> None:
    """Only what this code gave is revoked."""
    other = world.tokens()
    code = world.code()
    world.redeem(code)
    world.redeem(code)

    assert world.introspect(other["access_token"])["active"] is True


def test_a_stolen_code_neither_works_nor_kills(world: AuthorizationWorld) -> None:
    """Another client can't redeem it, and by trying takes nothing from its owner."""
    code = world.code()
    thief = world.redeem(code, certificate=qwac(OTHER_NUMBER), client_id=OTHER_CLIENT)
    tokens = world.redeem(code)
    thief_again = world.redeem(code, certificate=qwac(OTHER_NUMBER), client_id=OTHER_CLIENT)

    assert refusal_of(thief) == ("invalid_grant", "code: is not known, or was given to another client")
    assert tokens.status_code == 200
    assert refusal_of(thief_again) == refusal_of(thief)
    assert world.introspect(tokens.get_json()["access_token"])["active"] is True


def test_a_code_lives_sixty_seconds(world: AuthorizationWorld) -> None:
    """FAPI 2.0 §5.3.2.1: at most 60."""
    in_time, too_late = world.code(), world.code()
    world.clock.advance(dt.timedelta(seconds=59))
    assert world.redeem(in_time).status_code == 200
    world.clock.advance(dt.timedelta(seconds=1))

    assert refusal_of(world.redeem(too_late)) == ("invalid_grant", "code: has expired")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        pytest.param({"code": None}, "invalid_request", "code: is missing", id="no code"),
        pytest.param({"code": "x" * 43}, "invalid_grant", "code: is not known", id="unknown code"),
        pytest.param({"redirect_uri": None}, "invalid_request", "redirect_uri: is missing", id="no redirect URI"),
        pytest.param({"redirect_uri": f"{REDIRECT_URI}/"}, "invalid_grant", "redirect_uri: is not the one", id="other address"),
        pytest.param({"code_verifier": None}, "invalid_request", "code_verifier: is missing", id="no verifier"),
        pytest.param({"code_verifier": VERIFIER.lower()}, "invalid_grant", "code_verifier: does not match", id="foreign"),
        pytest.param({"code_verifier": "x" * 42}, "invalid_request", "code_verifier: must have 43", id="short verifier"),
        pytest.param({"code_verifier": s256(VERIFIER)}, "invalid_grant", "does not match", id="challenge as verifier"),
        pytest.param({"grant_type": None}, "invalid_request", "grant_type: is missing", id="no grant type"),
        pytest.param({"grant_type": "implicit"}, "unsupported_grant_type", "implicit is not one of", id="foreign grant type"),
        pytest.param({"client_id": None}, "invalid_request", "client_id: is missing", id="no client id"),
        pytest.param({"client_secret": "s3cret"}, "invalid_request", "client_secret: is not taken", id="with a secret"),
    ],
)
def test_a_fault_is_named(world: AuthorizationWorld, change: dict[str, str | None], error: str, said: str) -> None:
    """RFC 6749 §5.2: parameter and rule. The code stays good for the right request."""
    code = world.code()
    faulty = world.redeem(**({"code": code} | change))

    found, description = refusal_of(faulty)

    assert found == error
    assert said in description
    assert faulty.headers["Cache-Control"] == "no-store"
    assert world.redeem(code).status_code == 200


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "query", ["grant_type=authorization_code", "client_id=client-1", "code=x", "anything=x"], ids=lambda text: text[:10]
)
def test_nothing_is_read_from_the_query(world: AuthorizationWorld, query: str) -> None:
    """Queries end up in logs (RFC 6749 §2.3.1); Flask and Authlib would merge both."""
    answer = world.edge(f"/token?{query}", qwac(), data={"client_id": CLIENT, "grant_type": "client_credentials"})

    assert refusal_of(answer) == ("invalid_request", "query: must be empty: parameters belong into the body")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "code", "redirect_uri", "code_verifier"])
def test_a_repeated_parameter_is_refused(world: AuthorizationWorld, name: str) -> None:
    """RFC 6749 §3.2, even with the same value twice."""
    body = {"grant_type": "x", "client_id": "x", "code": "x", "redirect_uri": "x", "code_verifier": "x"}
    text = "&".join(f"{key}={value}" for key, value in body.items()) + f"&{name}=x"
    answer = world.edge("/token", qwac(), data=text, headers={"Content-Type": FORM})

    assert refusal_of(answer) == ("invalid_request", f"{name}: is given more than once")


def test_a_body_of_another_kind_is_refused(world: AuthorizationWorld) -> None:
    """JSON isn't what RFC 6749 §3.2 says."""
    answer = world.edge("/token", qwac(), json={"grant_type": "client_credentials"})

    assert refusal_of(answer) == ("invalid_request", f"Content-Type: must be {FORM}")


def test_a_body_in_a_coding_is_refused(world: AuthorizationWorld) -> None:
    """It would be read as what it is not (RFC 9110 §8.4)."""
    asked = {"grant_type": "client_credentials", "client_id": CLIENT}

    coded, plain = (
        world.edge("/token", qwac(), data=asked, headers={"Content-Encoding": name}) for name in ("gzip", "Identity")
    )

    assert refusal_of(coded) == ("invalid_request", "Content-Encoding: is not taken: send the body as it is")
    assert plain.status_code == 200


@pytest.mark.parametrize("scope", [f"{QUERY_SCOPE}  {REVOKE_SCOPE}", f" {QUERY_SCOPE}", f"{QUERY_SCOPE} {QUERY_SCOPE}"])
def test_a_scope_has_one_blank_between_two_values(world: AuthorizationWorld, scope: str) -> None:
    """RFC 6749 §3.3: for a client alone, and when a token is refreshed."""
    refresh = world.tokens()["refresh_token"]

    for answer in (world.token(grant_type="client_credentials", scope=scope), world.refresh(refresh, scope=scope)):
        assert refusal_of(answer)[0] == "invalid_scope"
        assert "not separated by one blank" in refusal_of(answer)[1]


def test_an_authorization_header_is_refused(world: AuthorizationWorld) -> None:
    """Neither passwords nor bearer tokens authenticate a client (RFC 6749 §2.3)."""
    answer = world.edge("/token", qwac(), data={"client_id": CLIENT}, headers={"Authorization": "Basic Y2xpZW50LTE6cw=="})

    assert refusal_of(answer)[1] == "Authorization: is not taken: clients have keys and certificates here"


def test_a_huge_body_is_refused(world: AuthorizationWorld) -> None:
    """A limit on everything."""
    huge = world.edge("/token", qwac(), data={"client_id": "x" * 70_000})
    large = world.edge("/token", qwac(), data={"client_id": "x" * 20_000})

    assert refusal_of(huge, 413)[1] == "body: is larger than the 65536 bytes that are read"
    assert refusal_of(large)[1].startswith("parameters: have 20010 bytes")


@pytest.mark.parametrize("path", ["/token", "/par", "/bc-authorize", "/introspect", "/revoke"])
def test_other_methods_are_refused_in_the_endpoints_own_format(world: AuthorizationWorld, path: str) -> None:
    """A client that sends GET gets JSON, with Allow."""
    answer = world.app.test_client().get(
        path, headers={"X-Sandbox-Listener": "edge"}, environ_overrides={"chassis.caller": "gateway"}
    )

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.get_json()["error"] == "invalid_request"


def test_an_authorization_without_pkce_never_gets_as_far_as_a_code(world: AuthorizationWorld) -> None:
    """RFC 9700 §4.8.2: so a downgrade by leaving the challenge out leads nowhere."""
    assert "error" in answer_of(world.authorize(code_challenge=None, code_challenge_method=None))
    assert not world.bank.begun


def test_a_role_lost_since_gives_no_token(world: AuthorizationWorld) -> None:
    """The register is asked at each step."""
    code = world.code()
    world.register.save_tpp(tpp(roles=frozenset({PspRole.PI})))

    assert refusal_of(world.redeem(code)) == (
        "invalid_grant",
        f"the TPP no longer holds the role PSP_AI, which scope AIS:{CONSENT} needs",
    )


def test_no_log_line_holds_a_secret(
    world: AuthorizationWorld, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even at the level at which Authlib prints whole tokens."""
    caplog.set_level(logging.DEBUG)
    code = world.code()
    tokens = world.redeem(code).get_json()
    world.token(grant_type="client_credentials")
    refreshed = world.refresh(tokens["refresh_token"]).get_json()
    world.redeem(code)

    printed = caplog.text + "".join(capsys.readouterr())
    assert "grant.code_replayed" in printed
    for secret in (code, tokens["access_token"], tokens["refresh_token"], refreshed["access_token"], VERIFIER):
        assert secret not in printed


def test_a_refusal_says_less_outside_the_sandbox(world: AuthorizationWorld) -> None:
    """`reason`, `hint` and `clause` are for developers of a sandbox."""
    from tests.support.authorization import AuthorizationWorld as World

    answer = World(world.engine, sandbox_mode=False).token(grant_type="x")

    assert set(answer.get_json()) == {"error", "error_description"}


def test_every_lifetime_is_the_configured_one(world: AuthorizationWorld) -> None:
    """Nothing falls back to a library's default (Authlib's is ten days)."""
    from tests.support.authorization import AuthorizationWorld as World

    short = World(world.engine, access_token_seconds=60, refresh_token_seconds=700)
    tokens = short.tokens()

    assert tokens["expires_in"] == 60
    with world.engine.connect() as connection:
        lives = [row.expires_at - row.issued_at for row in connection.execute(select(access_tokens))]
        lives += [row.expires_at - row.issued_at for row in connection.execute(select(refresh_tokens))]
    assert lives == [60, 700]

"""`POST /bc-authorize` and its tokens: who may ask whom, polls, decisions, each request redeemed once (CIBA Core)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gateway.oauth.ciba.bank import AskStatus
from gateway.oauth.ciba.store import SqlBackchannelStore
from gateway.oauth.model import secret_sha256
from gateway.register.model import ClientProfile, DeliveryMode, GrantType, SigningAlg
from gateway.tables.oauth import backchannel_requests
from psd2.roles import PspRole
from tests.support.authorization import (
    CLIENT,
    CONSENT,
    ISSUER,
    OTHER_CLIENT,
    OTHER_NUMBER,
    PAYMENT,
    START,
    AuthorizationWorld,
    client,
    qwac,
    tpp,
)
from tests.support.backchannel import CIBA, ENDPOINT, TOKEN, begin, begun, poll, refusal_of, register_for_ciba
from tests.support.jose import es256, ps256
from tests.support.pki import ALL_ROLES


def test_a_client_polls_until_the_psu_has_approved(asking: AuthorizationWorld) -> None:
    """CIBA Core §7.3, §10.1, §11."""
    answer = begin(asking, binding_message="W4SCT", requested_expiry="120")
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_json()
    assert (body["expires_in"], body["interval"], len(body["auth_req_id"])) == (120, 5, 43)
    (asked,) = asking.bank.asks
    assert (asked.psu, str(asked.scope), asked.seconds, asked.binding_message) == ("anna.weber", f"AIS:{CONSENT}", 120, "W4SCT")

    assert refusal_of(poll(asking, body["auth_req_id"])) == ("authorization_pending", "ciba.pending")
    asking.bank.decide_ask(AskStatus.APPROVED)
    tokens = poll(asking, body["auth_req_id"]).get_json()
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", f"AIS:{CONSENT}")
    assert "refresh_token" in tokens
    assert asking.introspect(tokens["access_token"])["active"]


def test_a_request_is_redeemed_once(asking: AuthorizationWorld) -> None:
    """By whichever process comes first; what it gave lives on."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED)
    tokens = poll(asking, auth_req_id).get_json()

    assert refusal_of(poll(asking, auth_req_id)) == ("invalid_grant", "ciba.redeemed")
    assert asking.introspect(tokens["access_token"])["active"]
    assert refusal_of(poll(asking, auth_req_id, wait=0)) == ("invalid_grant", "ciba.redeemed")


def test_the_id_is_no_code(asking: AuthorizationWorld) -> None:
    """What opens one grant opens no other, before and after it is redeemed."""
    register_for_ciba(asking, grant_types=(GrantType.AUTHORIZATION_CODE, CIBA), redirect_uris=("https://tpp.example/callback",))
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED)
    assert refusal_of(asking.redeem(auth_req_id))[1] == "grant.code_unknown"
    assert poll(asking, auth_req_id).status_code == 200
    assert refusal_of(asking.redeem(auth_req_id))[1] == "grant.code_unknown"


def test_polling_too_soon_slows_down(asking: AuthorizationWorld) -> None:
    """CIBA Core §11: the interval grows by five seconds, for this request and from now on."""
    auth_req_id = begun(asking)
    assert refusal_of(poll(asking, auth_req_id))[0] == "authorization_pending"
    assert refusal_of(poll(asking, auth_req_id, wait=4)) == ("slow_down", "ciba.slow_down")
    assert refusal_of(poll(asking, auth_req_id, wait=9))[0] == "slow_down"
    assert refusal_of(poll(asking, auth_req_id, wait=15))[0] == "authorization_pending"


@pytest.mark.parametrize(("status", "error"), [(AskStatus.REJECTED, "access_denied"), (AskStatus.EXPIRED, "expired_token")])
def test_a_request_that_ends_without_a_yes(asking: AuthorizationWorld, status: AskStatus, error: str) -> None:
    """CIBA Core §11."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(status)
    assert refusal_of(poll(asking, auth_req_id))[0] == error


def test_an_approval_that_comes_too_late_counts_for_nothing(asking: AuthorizationWorld) -> None:
    """The id has expired, whatever the bank says by then."""
    auth_req_id = begun(asking, requested_expiry="60")
    asking.bank.decide_ask(AskStatus.APPROVED)
    assert refusal_of(poll(asking, auth_req_id, wait=60)) == ("expired_token", "ciba.expired")


def test_an_approval_by_somebody_else_counts_for_nothing(asking: AuthorizationWorld) -> None:
    """Whom the client named is who has to say yes, to what it named."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED, psu="petra.hofmann")
    assert refusal_of(poll(asking, auth_req_id))[0] == "access_denied"


def test_an_id_is_its_clients(asking: AuthorizationWorld) -> None:
    """Another client's is as unknown as none, and its poll changes nothing."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED)
    data = {"grant_type": CIBA.value, "auth_req_id": auth_req_id, "client_id": OTHER_CLIENT}
    asking.register.save_client(
        client(
            client_id=OTHER_CLIENT,
            authorisation_number=OTHER_NUMBER,
            profile=ClientProfile.FAPI2,
            grant_types=(CIBA,),
            redirect_uris=(),
            backchannel_token_delivery_mode=DeliveryMode.POLL,
        )
    )
    assert refusal_of(asking.edge("/token", qwac(OTHER_NUMBER), data=data)) == ("invalid_grant", "ciba.unknown")
    assert refusal_of(poll(asking, "unknown")) == ("invalid_grant", "ciba.unknown")
    assert poll(asking, auth_req_id).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": None}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "AIS:unknown"}, "invalid_scope"),
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"login_hint": None, "login_hint_token": "x"}, "invalid_request"),
        ({"login_hint": "nobody"}, "unknown_user_id"),
        ({"login_hint": "anna weber"}, "invalid_request"),
        ({"binding_message": "x" * 41}, "invalid_binding_message"),
        ({"binding_message": "<b>"}, "invalid_binding_message"),
        ({"binding_message": "1234 \U0001f44d\U0001f3ff 품질"}, "invalid_binding_message"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"request": "x.y.z"}, "invalid_request"),
        ({"client_id": OTHER_CLIENT}, "invalid_client"),
    ],
)
def test_a_request_that_is_wrong_in_one_way(asking: AuthorizationWorld, changes: dict[str, Any], error: str) -> None:
    """CIBA Core §13; nobody is asked anything."""
    answer = begin(asking, **changes)
    assert answer.status_code == (401 if error == "invalid_client" else 400), answer.text
    assert answer.get_json()["error"] == error
    assert asking.bank.asks == []


def test_only_clients_that_have_registered_for_it(world: AuthorizationWorld) -> None:
    """CIBA Core §4: by grant type and delivery mode."""
    assert refusal_of(begin(world)) == ("unauthorized_client", "ciba.client")


def test_a_psu_is_not_asked_for_ever(asking: AuthorizationWorld) -> None:
    """CIBA Core §7.1: the server decides how long at most."""
    assert begin(asking, requested_expiry="86400").get_json()["expires_in"] == 900
    assert begin(asking).get_json()["expires_in"] == 300


def test_a_payment_leaves_nothing_to_renew(asking: AuthorizationWorld) -> None:
    """As by redirect."""
    auth_req_id = begun(asking, scope=f"PIS:{PAYMENT}")
    asking.bank.decide_ask(AskStatus.APPROVED)
    assert "refresh_token" not in poll(asking, auth_req_id).get_json()


def test_without_the_bank_the_client_may_try_again(asking: AuthorizationWorld) -> None:
    """Nothing is lost by it."""
    auth_req_id = begun(asking)
    asking.bank.is_down = True
    assert refusal_of(begin(asking), 503)[0] == "temporarily_unavailable"
    assert refusal_of(poll(asking, auth_req_id), 503)[0] == "temporarily_unavailable"
    asking.bank.is_down = False
    asking.bank.decide_ask(AskStatus.APPROVED)
    assert poll(asking, auth_req_id).status_code == 200


def test_nothing_that_opens_anything_is_kept_in_the_open(
    asking: AuthorizationWorld, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id as a hash; what the client's endpoint is told sealed."""
    (tmp_path / "certs").mkdir()
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    pinged = AuthorizationWorld(asking.engine, populate=False)
    register_for_ciba(
        pinged,
        backchannel_token_delivery_mode=DeliveryMode.PING,
        backchannel_client_notification_endpoint=ENDPOINT,
    )
    assert begin(pinged).get_json()["error"] == "invalid_request"
    assert begin(pinged, client_notification_token="short").get_json()["error"] == "invalid_request"
    auth_req_id = begun(pinged, client_notification_token=TOKEN)

    with asking.engine.connect() as connection:
        row = connection.execute(select(backchannel_requests)).one()
    assert row.sha256 == secret_sha256(auth_req_id)
    assert auth_req_id not in repr(row)
    assert TOKEN not in repr(row)
    assert row.ping_at == pinged.clock.now().timestamp()


def test_a_role_that_was_lost_meanwhile_gives_no_token(asking: AuthorizationWorld) -> None:
    """As with a code: what the TPP may do is judged when it takes the tokens (BG IG §13.1)."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED)
    asking.register.save_tpp(tpp(roles=ALL_ROLES - {PspRole.AI}))
    assert refusal_of(poll(asking, auth_req_id)) == ("invalid_grant", "psd2.role")


@pytest.mark.parametrize(("expiry", "seconds"), [(120, 120), ("120", 120)])
def test_a_signed_request_may_say_its_expiry_as_a_number(world: AuthorizationWorld, expiry: int | str, seconds: int) -> None:
    """CIBA Core §7.1.1."""
    register_for_ciba(world, jwks={"keys": [es256().jwk]})
    signed = es256().sign(said_signed(requested_expiry=expiry))
    answer = world.edge("/bc-authorize", qwac(), data={"client_id": CLIENT, "request": signed})
    assert (answer.status_code, answer.get_json().get("expires_in")) == (200, seconds)


def test_a_client_may_register_to_sign_what_it_has_asked(world: AuthorizationWorld) -> None:
    """CIBA Core §4: its other requests go as they did; of its keys those of the algorithm that it named count."""
    register_for_ciba(
        world, jwks={"keys": [es256().jwk, ps256().jwk]}, backchannel_authentication_request_signing_alg=SigningAlg.ES256
    )

    def asked(**sent: str) -> tuple[int, str | None]:
        answer = world.edge("/bc-authorize", qwac(), data={"client_id": CLIENT, **sent})
        return answer.status_code, answer.get_json().get("reason")

    assert asked(scope=f"AIS:{CONSENT}", login_hint="anna.weber") == (400, "oauth.parameter")
    assert asked(request=ps256().sign(said_signed()))[0] == 400
    assert asked(request=es256().sign(said_signed()))[0] == 200


def said_signed(**changes: Any) -> dict[str, Any]:
    """Return what a right signed request says, as CIBA Core §7.1.1 has it; a change of None leaves a claim out."""
    now = int(START.timestamp())
    who_when = {"iss": CLIENT, "aud": ISSUER, "iat": now, "nbf": now, "exp": now + 60, "jti": "j"}
    right = {**who_when, "scope": f"AIS:{CONSENT}", "login_hint": "anna.weber", "requested_expiry": 60}
    return {name: value for name, value in (right | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"aud": None}, "aud"),
        ({"aud": "https://other.example"}, "aud"),
        ({"iss": None}, "iss"),
        ({"iss": OTHER_CLIENT}, "iss"),
        ({"client_id": OTHER_CLIENT}, "client_id"),
        ({"exp": None}, "exp"),
        ({"exp": int(START.timestamp()) - 300}, "exp"),
        ({"exp": int(START.timestamp()) + 70 * 60}, "exp"),
        ({"iat": None}, "iat"),
        ({"nbf": None}, "nbf"),
        ({"nbf": int(START.timestamp()) + 600}, "nbf"),
        ({"nbf": int(START.timestamp()) - 70 * 60}, "nbf"),
        ({"jti": None}, "jti"),
    ],
)
def test_a_signed_request_that_is_wrong_in_one_way(world: AuthorizationWorld, changes: dict[str, Any], claim: str) -> None:
    """CIBA Core §7.1.1; it is refused by the name that §13 has for it, and not as a request object at /par would be."""
    register_for_ciba(world, jwks={"keys": [es256().jwk]})
    data = {"client_id": CLIENT, "request": es256().sign(said_signed(**changes))}
    refused = world.edge("/bc-authorize", qwac(), data=data)
    assert refusal_of(refused) == ("invalid_request", f"jose.claim.{claim}")
    assert world.bank.asks == []


def test_nothing_made_for_a_request_that_is_refused_stays_at_the_bank(asking: AuthorizationWorld) -> None:
    """Whoever guesses at PSUs leaves no consents behind; one that the TPP made itself is the TPP's."""
    for scope in ("accounts", f"AIS:{CONSENT}"):
        assert refusal_of(begin(asking, scope=scope, login_hint="nobody"))[1] == "ciba.psu"
    assert (len(asking.bank.made), asking.bank.ended) == (1, ["AIS:made-1"])


def test_nothing_made_for_a_request_that_can_not_be_kept_stays_at_the_bank(
    asking: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The PSU is asked already: what it would approve, the client never hears of. One that the TPP made itself is the TPP's."""

    def fail(*_: object) -> None:
        raise OperationalError("", None, OSError("gone"))

    monkeypatch.setattr(SqlBackchannelStore, "add", fail)

    assert [begin(asking, scope=scope).status_code for scope in ("accounts", f"AIS:{CONSENT}")] == [503, 503]
    assert asking.bank.ended == ["AIS:made-1"]


def test_a_bank_that_asks_nobody_in_an_app_says_so(asking: AuthorizationWorld) -> None:
    """CIBA Core §13: a decision on all requests of the kind; nothing that was made for it stays."""
    asking.bank.asks_in_apps = False
    answer = begin(asking, scope="accounts")
    assert refusal_of(answer, 403) == ("access_denied", "ciba.not_offered")
    assert "does not offer the decoupled approach" in answer.get_json()["error_description"]
    assert asking.bank.ended == ["AIS:made-1"]

"""`POST /bc-authorize` and its tokens: who may ask whom, polls, decisions, each request redeemed once (CIBA Core)."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from gateway.oauth.ciba.bank import AskStatus
from gateway.oauth.model import secret_sha256
from gateway.register.model import ClientProfile, DeliveryMode, GrantType
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
from tests.support.jose import es256
from tests.support.pki import ALL_ROLES

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

CIBA = GrantType.CIBA
TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"
ENDPOINT = "https://tpp.example/ciba"


@pytest.fixture
def asking(world: AuthorizationWorld) -> AuthorizationWorld:
    """Lend a world whose client has registered for backchannel authentication, and polls."""
    _register(world)
    return world


def _register(world: AuthorizationWorld, **changes: Any) -> None:
    grants = (GrantType.REFRESH_TOKEN, CIBA)
    standing = {"profile": ClientProfile.FAPI2, "grant_types": grants, "redirect_uris": ()}
    world.register.save_client(client(**standing | {"backchannel_token_delivery_mode": DeliveryMode.POLL} | changes))


def begin(world: AuthorizationWorld, **changes: str | None) -> TestResponse:
    parameters: dict[str, str | None] = {"client_id": CLIENT, "scope": f"AIS:{CONSENT}", "login_hint": "anna.weber"}
    data = {name: value for name, value in (parameters | changes).items() if value is not None}
    return world.edge("/bc-authorize", qwac(), data=data)


def begun(world: AuthorizationWorld, **changes: str | None) -> str:
    answer = begin(world, **changes)
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["auth_req_id"])


def poll(world: AuthorizationWorld, auth_req_id: str | None, *, wait: int = 5, **changes: Any) -> TestResponse:
    world.clock.advance(dt.timedelta(seconds=wait))
    return world.token(**{"grant_type": CIBA.value, "auth_req_id": auth_req_id} | changes)


def refusal_of(answer: TestResponse, status: int = 400) -> tuple[str, str]:
    assert answer.status_code == status, answer.text
    return answer.get_json()["error"], answer.get_json()["reason"]


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


def test_the_id_is_no_code(asking: AuthorizationWorld) -> None:
    """What opens one grant opens no other, before and after it is redeemed."""
    _register(asking, grant_types=(GrantType.AUTHORIZATION_CODE, CIBA), redirect_uris=("https://tpp.example/callback",))
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
    _register(
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
    _register(world, jwks={"keys": [es256().jwk]})
    now = int(START.timestamp())
    said = {"iss": CLIENT, "client_id": CLIENT, "aud": ISSUER, "nbf": now, "exp": now + 60, "scope": f"AIS:{CONSENT}"}
    signed = es256().sign(said | {"login_hint": "anna.weber", "requested_expiry": expiry})
    answer = world.edge("/bc-authorize", qwac(), data={"client_id": CLIENT, "request": signed})
    assert (answer.status_code, answer.get_json().get("expires_in")) == (200, seconds)


def test_nothing_made_for_a_request_that_is_refused_stays_at_the_bank(asking: AuthorizationWorld) -> None:
    """Whoever guesses at PSUs leaves no consents behind; one that the TPP made itself is the TPP's."""
    for scope in ("accounts", f"AIS:{CONSENT}"):
        assert refusal_of(begin(asking, scope=scope, login_hint="nobody"))[1] == "ciba.psu"
    assert (len(asking.bank.made), asking.bank.ended) == (1, ["AIS:made-1"])


def test_a_bank_that_asks_nobody_in_an_app_says_so(asking: AuthorizationWorld) -> None:
    """CIBA Core §13: a decision on all requests of the kind; nothing that was made for it stays."""
    asking.bank.asks_in_apps = False
    answer = begin(asking, scope="accounts")
    assert refusal_of(answer, 403) == ("access_denied", "ciba.not_offered")
    assert "does not offer the decoupled approach" in answer.get_json()["error_description"]
    assert asking.bank.ended == ["AIS:made-1"]


def another_client(world: AuthorizationWorld, client_id: str) -> None:
    """Register a further client of the TPP."""
    _register(world, client_id=client_id)


def test_a_psu_is_not_asked_over_and_over_until_it_says_yes(asking: AuthorizationWorld) -> None:
    """Five times, then once a minute, whatever became of the requests; the refusal says how long to wait."""
    for _ in range(5):
        begun(asking)
        asking.bank.decide_ask(AskStatus.REJECTED)
    answer = begin(asking)
    assert refusal_of(answer, 403) == ("access_denied", "ciba.too_many_asks")
    assert "asked 5 times" in answer.get_json()["error_description"]
    assert "wait 60 s" in answer.get_json()["hint"]
    assert len(asking.bank.asks) == 5

    asking.clock.advance(dt.timedelta(seconds=60))
    begun(asking)
    assert refusal_of(begin(asking), 403)[1] == "ciba.too_many_asks"


def test_another_psu_is_asked_all_the_same(asking: AuthorizationWorld) -> None:
    asking.bank.psus |= {"petra.hofmann"}
    for _ in range(5):
        begun(asking)
    begun(asking, login_hint="petra.hofmann")


def test_a_tpp_gains_little_by_further_clients(asking: AuthorizationWorld) -> None:
    """All of its clients together ask a PSU twice as often as one."""
    names = [CLIENT, "client-3", "client-4"]
    for name in names[1:]:
        another_client(asking, name)
    asked = {name: [begin(asking, client_id=name).status_code for _ in range(7)] for name in names}
    # What one is refused is taken from no other.
    assert asked == dict.fromkeys(names[:2], [200] * 5 + [403] * 2) | {names[2]: [403] * 7}
    assert len(asking.bank.asks) == 10


def test_a_yes_is_counted_out_again_once(asking: AuthorizationWorld) -> None:
    """Whoever is expected may ask as often as it needs to; a request that gives tokens twice at one moment counts once."""
    for _ in range(7):
        auth_req_id = begun(asking)
        asking.bank.decide_ask(AskStatus.APPROVED)
        assert poll(asking, auth_req_id, wait=0).status_code == 200
        assert refusal_of(poll(asking, auth_req_id, wait=0))[1] in {"ciba.slow_down", "ciba.redeemed"}


def test_an_approval_that_gives_no_tokens_is_counted(asking: AuthorizationWorld) -> None:
    """Polls that fail pay nothing back, however many there are."""
    auth_req_id = begun(asking)
    asking.bank.decide_ask(AskStatus.APPROVED)
    for _ in range(4):
        begun(asking)
    asking.register.save_tpp(tpp(roles=ALL_ROLES - {PspRole.AI}))
    asking.bank.decide_ask(AskStatus.APPROVED)
    for wait in (0, 5):
        assert refusal_of(poll(asking, auth_req_id, wait=wait)) == ("invalid_grant", "psd2.role")
    asking.register.save_tpp(tpp())
    assert refusal_of(begin(asking), 403)[1] == "ciba.too_many_asks"


def test_who_was_never_asked_is_not_counted(asking: AuthorizationWorld) -> None:
    """A request that the bank refuses bothers nobody."""
    for _ in range(6):
        assert refusal_of(begin(asking, scope="AIS:unknown"))[0] == "invalid_scope"
    begun(asking)


def test_of_asks_at_the_same_instant_so_many_get_through(asking: AuthorizationWorld) -> None:
    """Over threads, and so over processes: the database decides."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: begin(asking).status_code, range(12)))
    assert sorted(answers) == [200] * 5 + [403] * 7
    assert len(asking.bank.asks) == 5


# --- grants with a name (Grant Management §5.2: with any request that serves as an authorization request) ---

GIRO, SAVINGS = {"iban": "DE02100100109307118603"}, {"iban": "DE02700100800030876808"}


def accounts(*references: dict[str, str]) -> dict[str, str | None]:
    terms = {"recurringIndicator": True, "validUntil": "2026-06-01", "frequencyPerDay": 4}
    detail = {"type": "account_information", "access": {"accounts": list(references)}} | terms
    return {"scope": None, "authorization_details": json.dumps([detail])}


def granted(world: AuthorizationWorld, **wish: str | None) -> dict[str, Any]:
    auth_req_id = begun(world, **wish)
    world.bank.decide_ask(AskStatus.APPROVED)
    tokens: dict[str, Any] = poll(world, auth_req_id).get_json()
    return tokens


def test_a_grant_is_named_without_a_browser(asking: AuthorizationWorld) -> None:
    """Also one of a consent that was there before; unasked, none is."""
    named = granted(asking, grant_management_action="create")

    assert asking.introspect(named["access_token"])["authorization_details"][0]["consentId"] == CONSENT
    assert named["grant_id"]
    assert "grant_id" not in granted(asking, scope="accounts")


@pytest.mark.parametrize("action", ["replace", "merge"])
def test_a_grant_is_changed_without_a_browser(asking: AuthorizationWorld, action: str) -> None:
    """It keeps its name; what it gave before ends, and merged it holds both."""
    first = granted(asking, grant_management_action="create", **accounts(GIRO))
    second = granted(asking, grant_management_action=action, grant_id=first["grant_id"], **accounts(SAVINGS))

    held = {"replace": [SAVINGS], "merge": [GIRO, SAVINGS]}[action]
    assert second["grant_id"] == first["grant_id"]
    assert second["authorization_details"][0]["access"]["accounts"] == held
    assert asking.bank.ended == ["AIS:made-1"]
    assert not asking.introspect(first["access_token"])["active"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_management_action": "replace", "grant_id": None}, "invalid_request"),
        ({"grant_management_action": "replace", "grant_id": "another"}, "invalid_grant_id"),
        ({"scope": "accounts", "authorization_details": None}, "invalid_request"),
        ({"login_hint": "jonas.brandt"}, "invalid_grant_id"),
    ],
)
def test_a_grant_that_is_not_to_be_changed_so_bothers_nobody(
    asking: AuthorizationWorld, changes: dict[str, str | None], error: str
) -> None:
    """The PSU is not asked, and nothing is made: the grant is another PSU's, or none, or can't hold that."""
    first = granted(asking, grant_management_action="create", **accounts(GIRO))
    wish = {"grant_management_action": "merge", "grant_id": first["grant_id"]} | accounts(SAVINGS) | changes

    assert refusal_of(begin(asking, **wish))[0] == error
    assert (len(asking.bank.asks), len(asking.bank.made)) == (1, 1)


def test_of_two_merges_without_a_browser_none_is_lost(asking: AuthorizationWorld) -> None:
    """The second was asked for as the grant was before the first (Grant Management §5.2)."""
    grant = granted(asking, grant_management_action="create", **accounts(GIRO))["grant_id"]
    asked = []
    for _ in range(2):
        asked.append(begun(asking, grant_management_action="merge", grant_id=grant, **accounts(SAVINGS)))
        asking.bank.decide_ask(AskStatus.APPROVED)

    assert poll(asking, asked[0]).status_code == 200
    assert refusal_of(poll(asking, asked[1])) == ("invalid_grant", "grant.changed")

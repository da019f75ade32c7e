"""Pushed authorization requests: judged when they are pushed, good for one authorization (RFC 9126, FAPI 2.0 SP §5.3.2.2)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from gateway.oauth.bank import InteractionStatus
from gateway.oauth.model import secret_sha256
from gateway.oauth.par.model import Claim
from gateway.oauth.par.store import SqlPushedRequests
from gateway.oauth.store import SqlOAuthStore
from gateway.register.model import ApplicationType, ClientProfile, ClientStatus
from gateway.tables.oauth import pushed_requests
from tests.support.authorization import (
    CLIENT,
    CONSENT,
    ISSUER,
    NUMBER,
    OTHER_CLIENT,
    OTHER_NUMBER,
    PAYMENT,
    REDIRECT_URI,
    VERIFIER,
    AuthorizationWorld,
    answer_of,
    client,
    qwac,
)

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

PREFIX = "urn:ietf:params:oauth:request_uri:"


def page_of(answer: TestResponse) -> str:
    """Return the text of a page that goes nowhere."""
    assert answer.status_code == 400, answer.text
    assert "Location" not in answer.headers
    return answer.text


def redeem(world: AuthorizationWorld, **changes: Any) -> TestResponse:
    world.bank.settle(InteractionStatus.APPROVED)
    return world.redeem(answer_of(world.resume())["code"], **changes)


@pytest.mark.parametrize("profile", [ClientProfile.BERLIN, ClientProfile.FAPI2])
def test_a_pushed_request_leads_to_a_token(world: AuthorizationWorld, profile: ClientProfile) -> None:
    """201 with a reference that lasts 90 seconds, then the way is the usual one; for clients that need not sign."""
    world.register.save_client(client(profile=profile))
    pushed = world.push()

    assert (pushed.status_code, pushed.get_json()["expires_in"]) == (201, 90)
    assert pushed.headers["Cache-Control"] == "no-store"
    request_uri = pushed.get_json()["request_uri"]
    assert request_uri.startswith(PREFIX)
    assert len(request_uri) == len(PREFIX) + 43
    assert world.authorize_pushed(request_uri).headers["Location"].startswith(f"{ISSUER}/psu/")
    assert redeem(world).status_code == 200


def test_only_a_hash_of_the_reference_is_kept(world: AuthorizationWorld) -> None:
    """Nor does what authenticated the client stay."""
    secret = world.request_uri().removeprefix(PREFIX)

    with world.engine.connect() as connection:
        row = connection.execute(select(pushed_requests)).one()
    assert secret not in str(row)
    assert "client_assertion" not in row.parameters


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"request_uri": f"{PREFIX}x"}, "invalid_request", "request_uri: is not taken here"),
        ({"redirect_uri": None}, "invalid_request", "redirect_uri: is missing"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request", "is not registered"),
        ({"redirect_uri": f"{REDIRECT_URI}/"}, "invalid_request", "is not registered"),
        ({"response_type": "token"}, "unsupported_response_type", "must be code"),
        ({"code_challenge": None}, "invalid_request", "code_challenge: is missing"),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request", "must be S256"),
        ({"scope": "AIS"}, "invalid_scope", "scope"),
        ({"state": ["a", "b"]}, "invalid_request", "state: is given more than once"),
        ({"client_secret": "x"}, "invalid_request", "client_secret: is not taken"),
    ],
)
def test_a_fault_is_told_to_the_client_and_not_to_the_browser(
    world: AuthorizationWorld, change: dict[str, Any], error: str, said: str
) -> None:
    """RFC 9126 §2.3: everything is judged at once, and nothing is kept."""
    refused = world.push(**change)

    assert (refused.status_code, refused.get_json()["error"]) == (400, error)
    assert said in refused.get_json()["error_description"]
    with world.engine.connect() as connection:
        assert not connection.execute(select(pushed_requests)).all()


def test_a_stranger_pushes_nothing(world: AuthorizationWorld) -> None:
    """The client has to prove itself (RFC 9126 §2)."""
    assert world.push(certificate=qwac(OTHER_NUMBER)).get_json()["reason"] == "client.certificate_mismatch"
    assert world.edge("/par", None, data={"client_id": CLIENT}).get_json()["reason"] == "mtls.missing"
    assert world.edge("/par?scope=x", qwac(), data={"client_id": CLIENT}).get_json()["error"] == "invalid_request"


def test_a_reference_is_good_for_one_authorization(world: AuthorizationWorld) -> None:
    """Loading the page again is no use of it; the answer to the client is (FAPI 2.0 SP §5.3.2.2, note 3)."""
    request_uri = world.request_uri()
    world.authorize_pushed(request_uri)
    world.authorize_pushed(request_uri)
    assert redeem(world).status_code == 200

    assert "was used before" in page_of(world.authorize_pushed(request_uri))


def test_a_refused_authorization_uses_the_reference_up(world: AuthorizationWorld) -> None:
    """The client has had its answer."""
    request_uri = world.request_uri()
    world.authorize_pushed(request_uri)
    world.bank.settle(InteractionStatus.REJECTED)
    assert answer_of(world.resume())["error"] == "access_denied"

    assert "was used before" in page_of(world.authorize_pushed(request_uri))


def test_a_page_that_is_loaded_again_goes_back_to_where_it_was(world: AuthorizationWorld) -> None:
    """One authorization is live: what it asks to be made is made once, however often its page is loaded."""
    request_uri = world.request_uri(scope="accounts")
    pages = [world.authorize_pushed(request_uri).headers["Location"] for _ in range(3)]

    assert pages == [f"{ISSUER}/psu/interaction-1"] * 3
    assert (len(world.bank.made), len(world.bank.begun)) == (1, 1)
    assert redeem(world).status_code == 200


def test_a_second_browser_gets_nowhere(world: AuthorizationWorld) -> None:
    """Nothing is made or asked for it, and the first one goes on as if it had not come."""
    request_uri = world.request_uri(scope="accounts")
    world.authorize_pushed(request_uri)

    for _ in range(2):
        assert "was opened in another browser" in page_of(world.authorize_pushed(request_uri, browser=world.new_browser()))
        world.clock.advance(dt.timedelta(seconds=61))  # for which it would have waited, had nothing come of the first
    assert (len(world.bank.made), len(world.bank.begun)) == (1, 1)
    assert redeem(world).status_code == 200


def test_what_could_not_be_begun_may_be_begun_again(world: AuthorizationWorld) -> None:
    """In whatever browser: nothing has come of it."""
    request_uri = world.request_uri()
    world.bank.is_down = True
    assert answer_of(world.authorize_pushed(request_uri))["error"] == "temporarily_unavailable"
    world.bank.is_down = False

    assert world.authorize_pushed(request_uri, browser=world.new_browser()).status_code == 303


def taken(world: AuthorizationWorld, request_uri: str, browser: str = "nobody's") -> None:
    """Take a reference, as a process does that is killed before anything comes of it."""
    store, sha256 = SqlPushedRequests(world.engine), secret_sha256(request_uri.removeprefix(PREFIX))
    claim = Claim(sha256=sha256, browser_sha256=secret_sha256(browser), at=world.clock.now())
    assert store.is_claimed(claim, stale=world.clock.now())


def test_a_page_waits_for_its_first_load_and_not_for_ever(world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of the server is not held for longer than that."""
    monkeypatch.setattr("gateway.oauth.par.service._PATIENCE_SECONDS", 0.1)
    world.authorize()  # which gives the browser its cookie
    cookie = world.browser.get_cookie("__Host-authorization")
    assert cookie is not None
    request_uri = world.request_uri()
    taken(world, request_uri, cookie.value)

    assert "is being opened in another tab" in page_of(world.authorize_pushed(request_uri))


def test_a_process_that_was_killed_while_it_began_holds_nobody_up_for_long(world: AuthorizationWorld) -> None:
    """Whoever comes a minute later begins."""
    request_uri = world.request_uri()
    taken(world, request_uri)
    world.clock.advance(dt.timedelta(seconds=60))
    assert "was opened in another browser" in page_of(world.authorize_pushed(request_uri))
    world.clock.advance(dt.timedelta(seconds=1))

    assert world.authorize_pushed(request_uri).status_code == 303


def test_who_took_too_long_to_begin_gives_up_what_was_made(world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else has taken over meanwhile: of two that were made one stays."""
    request_uri = world.request_uri(scope="accounts")
    slow = world.bank.make_and_begin

    def overtaken(*asked: Any) -> Any:
        begun = slow(*asked)
        world.clock.advance(dt.timedelta(seconds=61))
        taken(world, request_uri)
        return begun

    monkeypatch.setattr(world.bank, "make_and_begin", overtaken)
    assert "browser" in page_of(world.authorize_pushed(request_uri))
    assert world.bank.ended == ["AIS:made-1"]


@pytest.mark.parametrize("is_same_browser", [True, False])
def test_of_pages_loaded_at_the_same_instant_one_begins(world: AuthorizationWorld, *, is_same_browser: bool) -> None:
    """Over threads, and so over processes: the database decides. The tabs of the one browser all come to the one page."""
    world.authorize()  # which gives the browser its cookie
    cookie = world.browser.get_cookie("__Host-authorization")
    assert cookie is not None
    request_uri = world.request_uri(scope="accounts")

    def load(_number: int) -> TestResponse:
        browser = world.new_browser()
        if is_same_browser:
            browser.set_cookie("__Host-authorization", cookie.value, domain="localhost", secure=True)
        return world.authorize_pushed(request_uri, browser=browser)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(load, range(6)))
    assert len(world.bank.made) == 1
    assert sorted(answer.status_code for answer in answers) == ([303] * 6 if is_same_browser else [303] + [400] * 5)
    assert len({answer.headers["Location"] for answer in answers if answer.status_code == 303}) == 1


def test_an_expired_reference_is_refused(world: AuthorizationWorld) -> None:
    """To the second; what was begun in time may be finished later."""
    request_uri = world.request_uri()
    world.clock.advance(dt.timedelta(seconds=89))
    world.authorize_pushed(request_uri)
    world.clock.advance(dt.timedelta(seconds=1))

    assert "has expired" in page_of(world.authorize_pushed(request_uri))
    assert redeem(world).status_code == 200


@pytest.mark.parametrize(
    ("request_uri", "said"),
    [
        ("https://evil.example/request.jwt", "none of this server"),
        (f"{PREFIX}short", "none of this server"),
        (f"{PREFIX}{'x' * 43}", "is not known"),
    ],
)
def test_a_strange_reference_is_refused(world: AuthorizationWorld, request_uri: str, said: str) -> None:
    """Nothing is fetched from anywhere (RFC 9101 §10.4)."""
    assert said in page_of(world.authorize_pushed(request_uri))


def test_another_clients_reference_is_refused(world: AuthorizationWorld) -> None:
    """RFC 9126 §2.2: it is bound to the client that pushed."""
    request_uri = world.request_uri()

    assert "another client" in page_of(world.authorize_pushed(request_uri, client_id=OTHER_CLIENT))
    assert "client_id: is missing" in page_of(world.authorize_pushed(request_uri, client_id=None))
    assert world.authorize_pushed(request_uri).status_code == 303


def test_what_stands_beside_the_reference_changes_nothing(world: AuthorizationWorld) -> None:
    """It came through the browser, where anybody may have put it (RFC 9101 §6.3)."""
    request_uri = world.request_uri()

    world.authorize_pushed(
        request_uri, scope=f"PIS:{PAYMENT}", state="other", redirect_uri="https://evil.example/", code_challenge="x" * 43
    )
    assert world.bank.begun[-1].resource == CONSENT
    world.bank.settle(InteractionStatus.APPROVED)
    answer = answer_of(world.resume())
    assert answer["state"] == "af0ifjsldkj"
    assert world.redeem(answer["code"]).status_code == 200


def test_a_repeated_reference_goes_nowhere(world: AuthorizationWorld) -> None:
    """Two programs may read it differently."""
    request_uri = world.request_uri()

    answer = world.front(f"{ISSUER}/authorize?client_id={CLIENT}&request_uri={request_uri}&request_uri={request_uri}")

    assert "given more than once" in page_of(answer)


def test_a_client_blocked_since_gets_no_further(world: AuthorizationWorld) -> None:
    """It is judged again when the browser comes."""
    request_uri = world.request_uri()
    world.register.save_client(client(status=ClientStatus.BLOCKED))

    assert answer_of(world.authorize_pushed(request_uri))["error"] == "unauthorized_client"


def test_a_tpp_may_name_its_client_by_its_number(world: AuthorizationWorld) -> None:
    """BG IG 1.3.8 §13.1: pushed under the one name, fetched under the other."""
    request_uri = world.request_uri(client_id=NUMBER)

    assert world.authorize_pushed(request_uri, client_id=CLIENT).status_code == 303


def test_a_psu_without_a_browser_takes_a_reference_too(world: AuthorizationWorld) -> None:
    """Once, as with a browser."""
    url = f"{ISSUER}/authorize?client_id={CLIENT}&request_uri={world.request_uri()}"

    assert "code=" in world.be_psu(url=url).get_json()["redirect"]
    assert world.be_psu(url=url).get_json()["code"] == "par.used"


@pytest.mark.parametrize(
    ("registered", "asked", "is_taken"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://[::1]:7000/cb?a=b", "http://[::1]:51004/cb?a=b", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1/cb", "http://[::1]:51004/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", False),
        ("http://localhost/cb", "http://localhost:51004/cb", False),
        ("https://tpp.example/cb", "https://tpp.example:51004/cb", False),
    ],
)
@pytest.mark.parametrize("application_type", ApplicationType)
def test_the_port_of_a_native_apps_loopback_address_is_free(
    world: AuthorizationWorld, application_type: ApplicationType, registered: str, asked: str, *, is_taken: bool
) -> None:
    """And of nothing else (RFC 8252 §7.3)."""
    world.register.save_client(client(redirect_uris=(registered,), application_type=application_type))

    pushed = world.push(redirect_uri=asked)

    assert pushed.status_code == (201 if is_taken and application_type is ApplicationType.NATIVE else 400)


def test_old_pushed_requests_go(world: AuthorizationWorld) -> None:
    """A day after they expired."""
    world.request_uri()
    store = SqlOAuthStore(world.engine)

    assert store.prune(world.clock.now(), 10) == 0
    assert store.prune(world.clock.now() + dt.timedelta(seconds=91), 10) == 1

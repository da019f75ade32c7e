"""`/authorize`: what is put before the PSU, what is answered to the client, and what goes nowhere at all."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import func, select

from gateway.oauth.bank import NewInteraction
from gateway.register.model import ClientProfile, ClientStatus, TppStatus
from gateway.tables.oauth import authorization_requests
from psd2.roles import PspRole
from tests.support.authorization import (
    CHALLENGE,
    CLIENT,
    CONSENT,
    ISSUER,
    NUMBER,
    PAYMENT,
    REDIRECT_URI,
    VERIFIER,
    answer_of,
    authorization_url,
    client,
    tpp,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.authorization import AuthorizationWorld


def kept_requests(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(authorization_requests)).scalar_one()


def test_a_good_request_goes_to_the_bank(world: AuthorizationWorld) -> None:
    """303 to the bank's page; the bank learns whose consent it is and where to send the browser afterwards."""
    answer = world.authorize()

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ISSUER}/psu/interaction-1")
    begun = world.bank.begun[0]
    assert begun == NewInteraction(
        tenant=NUMBER, kind="ais", resource=CONSENT, client_id=CLIENT, client_name="Acme Pay", return_url=begun.return_url
    )
    assert begun.return_url.startswith(f"{ISSUER}/authorize/resume/")
    assert "?" not in begun.return_url


@pytest.mark.parametrize(("scope", "kind"), [(f"AIS:{CONSENT}", "ais"), (f"PIS:{PAYMENT}", "pis"), (f"PIIS:{CONSENT}", "piis")])
def test_each_service_has_its_scope(world: AuthorizationWorld, scope: str, kind: str) -> None:
    """BG IG 1.3.8 §13.1."""
    world.authorize(scope=scope)

    assert world.bank.begun[0].kind == kind


def test_a_posted_request_is_the_same(world: AuthorizationWorld) -> None:
    """RFC 6749 §3.1 lets clients post; long requests fit then."""
    form = urlsplit(authorization_url()).query
    answer = world.front(
        f"{ISSUER}/authorize", method="POST", data=form, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.headers["Location"] == f"{ISSUER}/psu/interaction-1"


def test_a_tpp_may_name_itself_by_its_authorisation_number(world: AuthorizationWorld) -> None:
    """BG IG 1.3.8 §13.1: the organizationIdentifier stands for the TPP's only client."""
    world.authorize(client_id=NUMBER)

    assert world.bank.begun[0].client_id == CLIENT


def test_an_authorisation_number_with_two_clients_names_neither(world: AuthorizationWorld) -> None:
    """Guessing which one is meant could send a code to the wrong one."""
    world.register.save_client(client(client_id="client-1b"))

    assert world.authorize(client_id=NUMBER).status_code == 400


NO_REDIRECT = [
    pytest.param({"client_id": None}, "client_id: is missing", id="no client"),
    pytest.param({"client_id": "client-9"}, "client_id: client-9 is not registered here", id="unknown client"),
    pytest.param({"redirect_uri": None}, "redirect_uri: is missing", id="no redirect URI"),
    pytest.param({"redirect_uri": "https://evil.example/"}, "is not registered for this client", id="foreign redirect URI"),
    pytest.param({"redirect_uri": f"{REDIRECT_URI}/"}, "is not registered for this client", id="longer by a slash"),
    pytest.param({"redirect_uri": f"{REDIRECT_URI}?a=b"}, "is not registered for this client", id="longer by a query"),
    pytest.param({"redirect_uri": REDIRECT_URI.upper()}, "is not registered for this client", id="other case"),
    pytest.param({"redirect_uri": "https://tpp.example:443/callback"}, "is not registered", id="default port"),
    pytest.param({"redirect_uri": "https://tpp.example/%63allback"}, "is not registered", id="percent-encoded"),
    pytest.param({"redirect_uri": "https://evil.example/'><script>"}, "is not registered", id="markup"),
    pytest.param({"redirect_uri": 'https://evil.example/"\\'}, "is not registered", id="quote and backslash"),
]


@pytest.mark.parametrize(("change", "said"), NO_REDIRECT)
def test_without_a_sure_address_the_browser_goes_nowhere(
    world: AuthorizationWorld, change: dict[str, str | None], said: str
) -> None:
    """RFC 6749 §4.1.2.1: an unknown client or redirect URI is told to the person, on a page, without any redirect."""
    answer = world.authorize(**change)

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert answer.mimetype == "text/html"
    assert said in answer.text
    assert "<script" not in answer.text
    assert not world.bank.begun


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_address_goes_nowhere(world: AuthorizationWorld, name: str) -> None:
    """Of two addresses nobody can say which was meant; even the same one twice is refused (RFC 6749 §3.1)."""
    value = {"client_id": CLIENT, "redirect_uri": REDIRECT_URI}[name]
    answer = world.front(f"{authorization_url()}&{urlencode({name: value})}")

    assert answer.status_code == 400
    assert f"{name}: is given more than once" in answer.text


TOLD_TO_THE_CLIENT = [
    pytest.param({"response_type": None}, "invalid_request", "response_type: is missing", id="no response type"),
    pytest.param({"response_type": "token"}, "unsupported_response_type", "response_type: must be code", id="implicit"),
    pytest.param({"response_type": "code id_token"}, "unsupported_response_type", "must be code", id="hybrid"),
    pytest.param({"response_mode": "fragment"}, "invalid_request", "response_mode: must be one of query", id="fragment"),
    pytest.param({"code_challenge": None}, "invalid_request", "code_challenge: is missing", id="no PKCE"),
    pytest.param({"code_challenge_method": None}, "invalid_request", "code_challenge_method: is missing", id="method left out"),
    pytest.param({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "invalid_request", "must be S256", id="plain"),
    pytest.param({"code_challenge_method": "s256"}, "invalid_request", "must be S256", id="method in lower case"),
    pytest.param({"code_challenge": CHALLENGE[:-1]}, "invalid_request", "code_challenge: must be the 43", id="short challenge"),
    pytest.param({"code_challenge": f"{CHALLENGE}="}, "invalid_request", "code_challenge: must be the 43", id="padded"),
    pytest.param({"scope": None}, "invalid_request", "scope: is missing", id="no scope"),
    pytest.param({"scope": "AIS"}, "invalid_scope", "exactly one of", id="no resource"),
    pytest.param({"scope": "openid"}, "invalid_scope", "exactly one of", id="foreign scope"),
    pytest.param({"scope": f"AIS:{CONSENT} PIS:{PAYMENT}"}, "invalid_scope", "exactly one of", id="two scopes"),
    pytest.param({"scope": f"ais:{CONSENT}"}, "invalid_scope", "exactly one of", id="lower case"),
    pytest.param({"scope": "AIS:../secret"}, "invalid_scope", "exactly one of", id="path in the resource"),
    pytest.param({"scope": "AIS:consent-9"}, "invalid_scope", "names no consent or payment", id="unknown consent"),
    pytest.param({"request": "eyJhbGciOi"}, "request_not_supported", "request: is not supported", id="JAR"),
]


@pytest.mark.parametrize(("change", "error", "said"), TOLD_TO_THE_CLIENT)
def test_a_fault_is_told_to_the_client(world: AuthorizationWorld, change: dict[str, str | None], error: str, said: str) -> None:
    """A redirect that names the parameter and the rule, with the client's state and our issuer (RFC 9207)."""
    answer = answer_of(world.authorize(**change))

    assert answer["error"] == error
    assert said in answer["error_description"]
    assert answer["state"] == "af0ifjsldkj"
    assert answer["iss"] == ISSUER
    assert set(answer) == {"error", "error_description", "state", "iss"}


@pytest.mark.parametrize("name", ["scope", "response_type", "code_challenge", "code_challenge_method"])
def test_a_repeated_parameter_is_refused(world: AuthorizationWorld, name: str) -> None:
    """RFC 6749 §3.1, whatever the two values are."""
    answer = answer_of(world.front(f"{authorization_url()}&{name}=x"))

    assert (answer["error"], answer["error_description"]) == ("invalid_request", f"{name}: is given more than once")
    assert answer["state"] == "af0ifjsldkj"


def test_a_repeated_state_is_not_sent_back(world: AuthorizationWorld) -> None:
    """Nobody can say which of the two is the client's."""
    answer = answer_of(world.front(f"{authorization_url()}&state=other"))

    assert answer["error_description"] == "state: is given more than once"
    assert "state" not in answer


def test_a_state_is_optional_and_comes_back_unchanged(world: AuthorizationWorld) -> None:
    """Every printable ASCII character survives, also those that mean something in a query, and 384 of them."""
    state = "".join(chr(character) for character in range(0x20, 0x7F)) * 4 + "four"

    assert answer_of(world.authorize(scope="x", state=state))["state"] == state
    assert "state" not in answer_of(world.authorize(scope="x", state=None))


def test_an_empty_parameter_counts_as_absent(world: AuthorizationWorld) -> None:
    """RFC 6749 §3.1."""
    assert answer_of(world.authorize(scope=""))["error_description"].startswith("scope: is missing")


def test_unknown_parameters_are_ignored(world: AuthorizationWorld) -> None:
    """RFC 6749 §3.1: extensions that we don't know must not stop a client."""
    assert world.authorize(nonce="n-0S6_WzA2Mj", ui_locales="de").headers["Location"] == f"{ISSUER}/psu/interaction-1"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("client_id=%00", "client_id: holds a character other", id="control character"),
        pytest.param("client_id=%FF", "parameters: are not UTF-8", id="no UTF-8"),
        pytest.param("&".join(f"p{number}=1" for number in range(41)), "parameters: are more than", id="too many"),
        pytest.param("state=" + "x" * 2049, "state: has 2049 characters", id="too long"),
        pytest.param("x=" + "y" * 16_400, "parameters: have 16402 bytes", id="too large"),
    ],
)
def test_parameters_have_limits(world: AuthorizationWorld, query: str, said: str) -> None:
    """What can't be read safely is a page, before anything else is looked at."""
    answer = world.front(f"{ISSUER}/authorize?{query}")

    assert answer.status_code == 400
    assert said in answer.text


def test_a_posted_request_may_not_use_the_query_too(world: AuthorizationWorld) -> None:
    """One source of parameters, or a proxy and we read different ones."""
    answer = world.front(authorization_url(), method="POST", data={"client_id": CLIENT})

    assert answer.status_code == 400
    assert "belong into the body" in answer.text


def test_a_consent_that_is_not_awaiting_is_told_to_the_client(world: AuthorizationWorld) -> None:
    """The bank says 409; the client learns that its consent needs no authorisation any more."""
    world.bank.done.add((NUMBER, "ais", CONSENT))

    assert answer_of(world.authorize())["error_description"] == f"scope: AIS:{CONSENT} is not waiting to be authorised"


def test_another_tpps_consent_is_unknown(world: AuthorizationWorld) -> None:
    """The bank is asked in the name of the client's own TPP, so a foreign id is as unknown as one that never was."""
    answer = answer_of(world.authorize(client_id="client-2"))

    assert answer["error"] == "invalid_scope"
    assert "names no consent" in answer["error_description"]


@pytest.mark.parametrize(
    ("scope", "role"), [(f"AIS:{CONSENT}", PspRole.AI), (f"PIS:{PAYMENT}", PspRole.PI), (f"PIIS:{CONSENT}", PspRole.IC)]
)
def test_a_scope_needs_its_role(world: AuthorizationWorld, scope: str, role: PspRole) -> None:
    """RTS (EU) 2018/389 Art. 34: a TPP without the role doesn't even get a page shown."""
    world.register.save_tpp(tpp(roles=frozenset({PspRole.AI, PspRole.PI, PspRole.IC}) - {role}))

    answer = answer_of(world.authorize(scope=scope))

    assert (answer["error"], answer["error_description"]) == (
        "invalid_scope",
        f"scope: {scope.split(':', maxsplit=1)[0]} needs the role {role}, which the TPP does not hold",
    )
    assert not world.bank.begun


def test_a_blocked_tpp_is_refused(world: AuthorizationWorld) -> None:
    """The operator's decision reaches the front too."""
    world.register.save_tpp(tpp(status=TppStatus.BLOCKED))

    assert answer_of(world.authorize())["error"] == "unauthorized_client"


def test_a_blocked_client_is_refused(world: AuthorizationWorld) -> None:
    """As is one client of a TPP that is not blocked itself."""
    world.register.save_client(client(status=ClientStatus.BLOCKED))

    assert answer_of(world.authorize())["error"] == "unauthorized_client"


def test_a_fapi_client_may_not_put_its_request_into_a_url(world: AuthorizationWorld) -> None:
    """FAPI 2.0 §5.3.2.2 wants every request pushed; letting an unpushed one in would be the downgrade it forbids."""
    world.register.save_client(client(profile=ClientProfile.FAPI2))

    answer = answer_of(world.authorize())

    assert answer["error"] == "invalid_request"
    assert answer["error_description"].startswith("request_uri: is missing")


def test_a_bank_that_cannot_be_reached_is_told_to_the_client(world: AuthorizationWorld) -> None:
    """RFC 6749 §4.1.2.1 temporarily_unavailable; nothing is kept of the request."""
    world.bank.is_down = True

    assert answer_of(world.authorize())["error"] == "temporarily_unavailable"
    assert kept_requests(world.engine) == 0


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_begin_nothing(world: AuthorizationWorld, method: str) -> None:
    """A link preview that sends HEAD must not put a consent before anybody."""
    answer = world.front(authorization_url(), method=method)

    assert answer.status_code == 405
    assert not world.bank.begun


def test_every_answer_of_the_front_is_guarded(world: AuthorizationWorld) -> None:
    """Not framed, not cached, no referrer, no script: pages, redirects to the bank, redirects to the client, 404s."""
    answers = [
        world.authorize(),
        world.authorize(client_id=None),
        world.authorize(scope=None),
        world.front(f"{ISSUER}/authorize/resume/nothing"),
        world.front(f"{ISSUER}/authorize/nowhere"),
    ]

    assert [answer.status_code for answer in answers] == [303, 400, 303, 404, 404]
    for answer in answers:
        assert answer.headers["X-Frame-Options"] == "DENY"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_redirect_has_no_body(world: AuthorizationWorld) -> None:
    """It would only repeat an address that may hold a code."""
    assert world.authorize().data == b""


def test_a_page_escapes_what_it_shows(world: AuthorizationWorld) -> None:
    """The client_id of a stranger is text, never markup."""
    answer = world.authorize(client_id="<img src=x onerror=alert(1)>")

    assert "<img" not in answer.text
    assert "&lt;img" in answer.text


def test_pages_find_their_style_without_a_script(world: AuthorizationWorld) -> None:
    """The policy allows styles from our own origin only; the page asks for exactly one."""
    page = world.authorize(client_id=None).text
    style = world.front(f"{ISSUER}/authorize/style.css")

    assert 'href="/authorize/style.css"' in page
    assert "style=" not in page
    assert (style.status_code, style.mimetype) == (200, "text/css")


def test_a_page_says_less_outside_the_sandbox(engine: Engine) -> None:
    """Hints and reasons are for developers of a sandbox."""
    from tests.support.authorization import AuthorizationWorld as World

    page = World(engine, sandbox_mode=False).authorize(client_id="client-9").text

    assert "is not registered here" in page
    assert "What helps" not in page
    assert "client.unknown" not in page


def test_the_front_is_not_served_to_the_edge(world: AuthorizationWorld) -> None:
    """Where a browser belongs no TPP listener leads to, and the other way round."""
    assert world.front(authorization_url(), headers={"X-Sandbox-Listener": "edge"}).status_code == 404
    assert world.front(f"{ISSUER}/token", method="POST").status_code == 404

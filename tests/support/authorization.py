"""A small world around the authorization server: a register, a bank played by hand, a browser, TPPs with certificates."""

from __future__ import annotations

import datetime as dt
import hashlib
from base64 import urlsafe_b64encode
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from gateway.config import GatewaySettings
from gateway.oauth.app import AuthorizationServices, create_app
from gateway.oauth.bank import (
    InteractionStatus,
)
from gateway.oauth.bootstrap import authorization_services
from gateway.register.model import Client, ClientProfile, Tpp
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from psd2.client_cert_header import encode_client_cert
from psd2.clock import FixedClock
from tests.support.authorization_bank import ISSUER, NUMBER, FakeBank
from tests.support.jose import server_keys
from tests.support.pki import ALL_ROLES, Authority, Issued

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse


START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
OTHER_NUMBER = "PSDFR-ACPR-200002"
CLIENT, OTHER_CLIENT = "client-1", "client-2"
REDIRECT_URI = "https://tpp.example/callback"
CONSENT, PAYMENT = "consent-1", "payment-1"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@cache
def authority() -> Authority:
    """Return the CA that issues this world's certificates."""
    return Authority()


@cache
def qwac(number: str = NUMBER) -> Issued:
    """Return a TPP's QWAC, the same each time."""
    return authority().qwac(number=number)


class AuthorizationWorld:
    """One authorization server and everybody around it."""

    def __init__(self, engine: Engine, *, populate: bool = True, **settings: Any) -> None:
        self.engine = engine
        self.clock = FixedClock(START)
        self.register = Register(store=SqlRegisterStore(engine), clock=self.clock)
        self.bank = FakeBank({(NUMBER, "ais", CONSENT), (NUMBER, "pis", PAYMENT), (NUMBER, "piis", CONSENT)})
        self.settings = GatewaySettings(**settings)
        self.app = create_app(self._services())
        self.browser = self.new_browser()
        if populate:
            self._populate()

    def _services(self) -> AuthorizationServices:
        return authorization_services(
            self.settings,
            engine=self.engine,
            bank=self.bank,
            clock=self.clock,
            server_keys=server_keys(self.engine, self.clock),
        )

    def new_browser(self) -> FlaskClient:
        """Return a browser without cookies."""
        return self.app.test_client()

    def front(self, url: str, *, browser: FlaskClient | None = None, method: str = "GET", **options: Any) -> TestResponse:
        """Open an address of the front, as the edge passes it on."""
        headers = {"X-Sandbox-Listener": "front", "X-Sandbox-Request": "request-1"} | options.pop("headers", {})
        parts = urlsplit(url)
        return (browser or self.browser).open(
            parts.path,
            method=method,
            query_string=parts.query,
            base_url=ISSUER,
            headers=headers,
            environ_overrides={"chassis.caller": "gateway"},
            **options,
        )

    def edge(
        self, path: str, certificate: Issued | None, *, caller: str = "gateway", method: str = "POST", **options: Any
    ) -> TestResponse:
        """Call an address of the edge with a TPP's certificate, as the edge passes it on."""
        headers = {"X-Sandbox-Listener": "edge", "X-Sandbox-Request": "request-1"} | options.pop("headers", {})
        if certificate is not None:
            vouched = {"X-Sandbox-Certificate": "qwac", "Client-Cert": encode_client_cert(certificate.der)}
            headers = vouched | headers
        return self.app.test_client().open(
            path, method=method, base_url=ISSUER, headers=headers, environ_overrides={"chassis.caller": caller}, **options
        )

    def authorize(self, *, browser: FlaskClient | None = None, **changes: Any) -> TestResponse:
        """Open the authorization URL in a browser; what asks for more than an id is pushed, or refused at that, first."""
        if "authorization_details" not in changes and "accounts" not in (changes.get("scope") or "").split(" "):
            return self.front(authorization_url(**changes), browser=browser)
        pushed = self.push(**changes)
        if pushed.status_code != 201:
            return pushed
        request_uri: str = pushed.get_json()["request_uri"]
        return self.authorize_pushed(request_uri, client_id=changes.get("client_id", CLIENT), browser=browser)

    def push(self, *, certificate: Issued | None = None, **changes: Any) -> TestResponse:
        """Push an authorization request."""
        return self.edge("/par", certificate or qwac(), data=authorization_parameters(**changes))

    def request_uri(self, **changes: Any) -> str:
        """Return the reference of a request that was pushed."""
        answer = self.push(**changes)
        assert answer.status_code == 201, answer.text
        request_uri: str = answer.get_json()["request_uri"]
        return request_uri

    def authorize_pushed(
        self, request_uri: str | None, *, client_id: str | None = CLIENT, browser: FlaskClient | None = None, **beside: str
    ) -> TestResponse:
        """Open the authorization URL of a pushed request in a browser."""
        parameters = _present({"client_id": client_id, "request_uri": request_uri, **beside})
        return self.front(f"{ISSUER}/authorize?{urlencode(parameters)}", browser=browser)

    def resume(self, *, browser: FlaskClient | None = None) -> TestResponse:
        """Come back from the bank's page of the newest interaction."""
        return self.front(self.bank.begun[-1].return_url, browser=browser)

    def code(self, **changes: Any) -> str:
        """Let the PSU approve; returns the code."""
        self.authorize(**changes)
        self.bank.settle(InteractionStatus.APPROVED)
        return answer_of(self.resume())["code"]

    def token(self, *, certificate: Issued | None = None, **parameters: Any) -> TestResponse:
        """Ask for a token."""
        return self.edge("/token", certificate or qwac(), data=_present({"client_id": CLIENT, **parameters}))

    def redeem(self, code: str | None, *, certificate: Issued | None = None, **changes: Any) -> TestResponse:
        """Redeem a code."""
        parameters: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return self.token(certificate=certificate, **(parameters | changes))

    def refresh(self, refresh_token: str, *, certificate: Issued | None = None, **changes: Any) -> TestResponse:
        """Renew an access token."""
        parameters: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.token(certificate=certificate, **(parameters | changes))

    def tokens(self, **changes: Any) -> dict[str, Any]:
        """Go all the way to tokens."""
        answer = self.redeem(self.code(**changes))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def introspect(
        self, token: str, *, certificate: Issued | None = None, client_id: str = CLIENT, **extra: str
    ) -> dict[str, Any]:
        """Introspect a token."""
        answer = self.edge("/introspect", certificate or qwac(), data={"client_id": client_id, "token": token} | extra)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def revoke(self, token: str, *, certificate: Issued | None = None, client_id: str = CLIENT, **extra: str) -> TestResponse:
        """Revoke a token."""
        return self.edge("/revoke", certificate or qwac(), data={"client_id": client_id, "token": token} | extra)

    def be_psu(self, *, certificate: Issued | None = None, **changes: Any) -> TestResponse:
        """Be the PSU without a browser."""
        body = {"url": authorization_url(), "psu": "anna.weber", "result": "APPROVED"} | changes
        return self.edge("/sandbox/v1/psu-interactions", certificate or qwac(), json=body)

    def _populate(self) -> None:
        self.register.save_tpp(tpp())
        other = tpp(authorisation_number=OTHER_NUMBER, country="FR", nca_id="FR-ACPR", nca_name="ACPR")
        self.register.save_tpp(other)
        self.register.save_client(client())
        self.register.save_client(client(client_id=OTHER_CLIENT, authorisation_number=OTHER_NUMBER))


def tpp(**changes: Any) -> Tpp:
    """Return a TPP with all roles."""
    standing = Tpp(
        authorisation_number=NUMBER,
        name="Acme Pay",
        country="DE",
        nca_id="DE-BAFIN",
        nca_name="BaFin",
        roles=ALL_ROLES,
    )
    return replace(standing, **changes)


def client(**changes: Any) -> Client:
    """Return a client of that TPP."""
    standing = Client(
        client_id=CLIENT,
        authorisation_number=NUMBER,
        name="Acme Pay",
        redirect_uris=(REDIRECT_URI,),
        profile=ClientProfile.BERLIN,
    )
    return replace(standing, **changes)


def authorization_url(**changes: Any) -> str:
    """Return the URL that a TPP sends a browser to; a change of None leaves a parameter out."""
    return f"{ISSUER}/authorize?{urlencode(authorization_parameters(**changes))}"


def authorization_parameters(**changes: Any) -> dict[str, Any]:
    """Return the parameters of an authorization request; a change of None leaves one out."""
    parameters: dict[str, str | None] = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT_URI,
        "scope": f"AIS:{CONSENT}",
        "state": "af0ifjsldkj",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    if "authorization_details" in changes:
        del parameters["scope"]
    return _present(parameters | changes)


def answer_of(response: TestResponse) -> dict[str, str]:
    """Return the parameters of a redirect to the client; each stands there once."""
    assert response.status_code == 303, response.text
    location = response.headers["Location"]
    assert location.startswith(f"{REDIRECT_URI}?"), location
    parameters = parse_qs(urlsplit(location).query, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    return {name: values[0] for name, values in parameters.items()}


def refusal_in(response: TestResponse) -> dict[str, str]:
    """Return a refusal, wherever it was told: where the request was pushed, or to the client by a redirect."""
    told: dict[str, str] = response.get_json() if response.is_json else answer_of(response)
    return told


def s256(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _present(parameters: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}

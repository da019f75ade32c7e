"""`tls_client_auth`: the QWAC of the client's own TPP, presented to the edge, and nothing else (RFC 8705 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.register.model import ClientStatus, TppStatus
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, authority, client, qwac, tpp
from tests.support.pki import Issued

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld

ENDPOINTS = ["/token", "/introspect", "/revoke"]
BODY = {"client_id": CLIENT, "grant_type": "client_credentials", "token": "x"}


def refused(answer: TestResponse) -> str:
    assert answer.status_code == 401, answer.text
    assert answer.get_json()["error"] == "invalid_client"
    assert "WWW-Authenticate" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    reason: str = answer.get_json()["reason"]
    return reason


@pytest.mark.parametrize("path", ENDPOINTS)
def test_the_tpps_own_qwac_lets_in(world: AuthorizationWorld, path: str) -> None:
    """What the refusals below are measured against."""
    assert world.edge(path, qwac(), data=BODY).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
def test_another_tpps_qwac_does_not(world: AuthorizationWorld, path: str) -> None:
    """A genuine QWAC, of the wrong firm."""
    assert refused(world.edge(path, qwac(OTHER_NUMBER), data=BODY)) == "client.certificate_mismatch"


@pytest.mark.parametrize("path", ENDPOINTS)
def test_no_certificate_does_not(world: AuthorizationWorld, path: str) -> None:
    """A client without one would be a public client; there is none."""
    assert refused(world.edge(path, None, data=BODY)) == "mtls.missing"


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "unfit", [lambda: authority().qseal(), lambda: authority().plain(), lambda: authority().qwac(number=None)]
)
def test_another_kind_of_certificate_does_not(world: AuthorizationWorld, path: str, unfit: object) -> None:
    """A QSealC, a certificate without QCStatements, a QWAC that names no TPP."""
    assert callable(unfit)
    certificate = unfit()
    assert isinstance(certificate, Issued)

    assert refused(world.edge(path, certificate, data=BODY)) == "mtls.not_a_qwac"


@pytest.mark.parametrize("value", ["", ":::", ":AAAA:", "AAAA", ":!:", ":AAAA:, :AAAA:"])
def test_an_unreadable_certificate_does_not(world: AuthorizationWorld, value: str) -> None:
    """Nor does a header that came twice."""
    assert refused(world.edge("/token", None, data=BODY, headers={"Client-Cert": value})) == "mtls.malformed"


def test_two_certificates_do_not(world: AuthorizationWorld) -> None:
    """One right, one foreign: no guess is made."""
    from psd2.client_cert_header import encode_client_cert

    both = f"{encode_client_cert(qwac().der)}, {encode_client_cert(qwac(OTHER_NUMBER).der)}"

    assert refused(world.edge("/token", None, data=BODY, headers={"Client-Cert": both})) == "mtls.malformed"


@pytest.mark.parametrize("listener", ["front", "welcome", "portal", "", "EDGE"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_certificate_from_another_listener_does_not(world: AuthorizationWorld, path: str, listener: str) -> None:
    """Only the edge listener judges certificates; the header from anywhere else proves nothing."""
    answer = world.edge(path, qwac(), data=BODY, headers={"X-Sandbox-Listener": listener})

    assert answer.status_code == 404


def test_a_certificate_from_another_caller_does_not(world: AuthorizationWorld) -> None:
    """The portal may call internal servers too, and could forge the header."""
    assert world.edge("/token", qwac(), data=BODY, caller="portal").status_code == 404


def test_an_application_without_its_guard_lets_nobody_in(world: AuthorizationWorld) -> None:
    """Where `AcceptedCallers` does not stand in front, no caller is known: closed, not open."""
    answer = world.app.test_client().post("/token", data=BODY, headers={"X-Sandbox-Listener": "edge"})

    assert answer.status_code == 500


def test_an_unknown_client_is_refused(world: AuthorizationWorld) -> None:
    """With a genuine QWAC, too."""
    assert refused(world.edge("/token", qwac(), data=BODY | {"client_id": "client-9"})) == "client.unknown"


def test_a_blocked_tpps_client_is_refused(world: AuthorizationWorld) -> None:
    """The register is asked each time."""
    world.register.save_tpp(tpp(status=TppStatus.BLOCKED))

    assert refused(world.edge("/token", qwac(), data=BODY)) == "tpp.blocked"


def test_a_blocked_client_is_refused(world: AuthorizationWorld) -> None:
    """As above."""
    world.register.save_client(client(status=ClientStatus.BLOCKED))

    assert refused(world.edge("/token", qwac(), data=BODY)) == "client.blocked"


def test_a_tpp_may_name_itself_by_its_authorisation_number(world: AuthorizationWorld) -> None:
    """BG IG 1.3.8 §13.1; the token is the registered client's."""
    token = world.token(client_id=NUMBER, grant_type="client_credentials").get_json()["access_token"]

    assert world.introspect(token)["client_id"] == CLIENT

"""The portal over HTTP: pages, certificates' status, registration, each on its listener only."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.portal import ADDRESS, PortalUnderTest
from tests.support.register import NUMBER, REGISTRATION, signing_request

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    return PortalUnderTest(tmp_path)


@pytest.mark.parametrize(
    ("path", "welcome", "portal_status"),
    [
        ("/", 200, 200),
        ("/trust.pem", 200, 200),
        ("/pki/crl/tpp-issuing.crl", 200, 200),
        ("/pki/ca/root.crt", 200, 200),
        ("/pki/disclosure", 200, 200),
        (f"/api/tpps/{NUMBER}", 404, 401),
    ],
)
def test_what_each_listener_serves(portal: PortalUnderTest, path: str, welcome: int, portal_status: int) -> None:
    """Registration, whose answers hold private keys, is not to be had over plain HTTP."""
    assert portal.call("GET", path, listener="welcome").status_code == welcome
    assert portal.call("GET", path, listener="portal").status_code == portal_status
    for other in ("edge", "front", None):
        assert portal.call("GET", path, listener=other).status_code == 404


def test_nobody_registers_over_plain_http(portal: PortalUnderTest) -> None:
    """The refusal comes before anything is made."""
    assert portal.call("POST", "/api/tpps", listener="welcome", json=REGISTRATION).status_code == 404
    assert portal.world.calls == []


def test_health_is_answered_without_a_listener(portal: PortalUnderTest) -> None:
    """The supervisor asks directly."""
    assert portal.call("GET", "/health", listener=None).get_json() == {"status": "ok"}


def test_the_welcome_page_tells_the_fingerprint(portal: PortalUnderTest) -> None:
    """What came over plain HTTP has to be compared with something."""
    page = portal.call("GET", "/", listener="welcome").get_data(as_text=True)

    root = hashlib.sha256(portal.world.authority.ca_certificate("root")).digest().hex(":").upper()
    assert root in page.replace("<br>", "")
    assert "https://localhost:9000" in page


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/tpps/x", "/trust.pem"])
def test_every_answer_carries_the_headers_that_harden_it(portal: PortalUnderTest, path: str) -> None:
    """No script, no frame, no sniffing; and nothing that would lock localhost's plain-HTTP port."""
    headers = portal.call("GET", path).headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in headers


def test_pages_hold_nothing_that_the_policy_forbids(portal: PortalUnderTest) -> None:
    """No inline style, no script, no handler."""
    for listener in ("welcome", "portal"):
        page = portal.call("GET", "/", listener=listener).get_data(as_text=True)
        assert not any(forbidden in page for forbidden in ("<script", "style=", "<style", " onclick", "javascript:"))


def test_a_missing_page_is_a_page_for_people_and_a_problem_for_programs(portal: PortalUnderTest) -> None:
    """Each gets what it can read."""
    assert portal.call("GET", "/nowhere", headers={"Accept": "text/html"}).mimetype == "text/html"
    assert portal.call("GET", "/api/nowhere").mimetype == "application/problem+json"


def test_status_of_certificates(portal: PortalUnderTest) -> None:
    """Each with the media type of its RFC."""
    crl = portal.call("GET", "/pki/crl/tpp-issuing.crl", listener="welcome")
    certificate = portal.call("GET", "/pki/ca/root.crt", listener="welcome")

    assert (crl.mimetype, crl.data) == ("application/pkix-crl", b"crl 1")
    assert crl.headers["Cache-Control"] == "no-cache"
    assert certificate.mimetype == "application/pkix-cert"
    assert x509.load_der_x509_certificate(certificate.data)


def test_an_unknown_authority_is_not_found(portal: PortalUnderTest) -> None:
    """For lists, certificates and OCSP alike."""
    for path in ("/pki/crl/nobody.crl", "/pki/ca/nobody.crt"):
        assert portal.call("GET", path).status_code == 404
    ocsp = portal.call("POST", "/pki/ocsp/nobody", data=b"x", content_type="application/ocsp-request")
    assert ocsp.status_code == 404


def test_ocsp_by_post(portal: PortalUnderTest) -> None:
    """RFC 6960 appendix A.1."""
    answer = portal.call("POST", "/pki/ocsp/tpp-issuing", data=b"a request", content_type="application/ocsp-request")

    assert (answer.mimetype, answer.data) == ("application/ocsp-response", b"answer to a request")


@pytest.mark.parametrize("request_der", [b"0\xff\xff\xff\xff\xff", b"0\xef\xbe\xfb\xef\xbe\xfb"])
def test_ocsp_by_get(portal: PortalUnderTest, request_der: bytes) -> None:
    """The base64 in the path may hold slashes in a row, plus signs and padding."""
    encoded = base64.b64encode(request_der).decode()

    answer = portal.call("GET", f"/pki/ocsp/tpp-issuing/{encoded}")

    assert answer.data == b"answer to " + request_der


def test_ocsp_requests_that_can_not_be_read(portal: PortalUnderTest) -> None:
    """Answered as malformed, which is an OCSP answer, never a page."""
    answers = [
        portal.call("GET", "/pki/ocsp/tpp-issuing/%%%"),
        portal.call("GET", "/pki/ocsp/tpp-issuing/gr%C3%BC%C3%9Fe"),
        portal.call("POST", "/pki/ocsp/tpp-issuing", data=b"a=b", content_type="application/x-www-form-urlencoded"),
        portal.call("POST", "/pki/ocsp/tpp-issuing", data=b"x" * 20_000, content_type="application/ocsp-request"),
    ]

    assert {(answer.status_code, answer.data) for answer in answers} == {(200, bytes.fromhex("30030a0101"))}


def test_registration_answers_everything_a_tpp_needs(portal: PortalUnderTest) -> None:
    """Certificates with keys, client, addresses and the token to manage it; not to be stored on the way."""
    answer = portal.call("POST", "/api/tpps", json=REGISTRATION)

    document = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"] == f"https://localhost:9000/api/tpps/{NUMBER}"
    assert document["client_id"] == NUMBER
    assert document["issuer"] == "https://localhost:9001"
    assert document["endpoints"]["token"] == "https://localhost:9003/token"
    assert document["certificates"]["qwac"]["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert document["registration_access_token"]
    assert document["ca"] == "the bundle"


def test_a_key_that_was_not_made_here_is_not_answered(portal: PortalUnderTest) -> None:
    """With a signing request the private key never leaves its owner."""
    csr = signing_request(ec.generate_private_key(ec.SECP256R1())).decode()

    document = portal.call("POST", "/api/tpps", json={**REGISTRATION, "csr": {"qwac": csr}}).get_json()

    assert "private_key" not in document["certificates"]["qwac"]
    assert "private_key" in document["certificates"]["qseal"]


def test_a_wrong_registration_names_its_fields(portal: PortalUnderTest) -> None:
    """422 with each field, and nothing made."""
    answer = portal.call("POST", "/api/tpps", json={**REGISTRATION, "roles": ["KING"], "name": "A"})

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert {error["field"] for error in answer.get_json()["errors"]} == {"name", "roles"}
    assert portal.world.calls == []


def test_a_program_changes_its_client(portal: PortalUnderTest) -> None:
    """With the registration's token: the gateway hears of it, the client id stays, what is wrong is named by field."""
    token = portal.registered()["registration_access_token"]
    path, headers = f"/api/tpps/{NUMBER}/client", {"Authorization": f"Bearer {token}"}
    wanted = {"profile": "fapi2", "client_metadata": {"jwks": {"keys": [{"kty": "EC"}]}}}

    changed = portal.call("PUT", path, headers=headers, json=wanted)
    refused = portal.call("PUT", path, headers=headers, json={"profile": "none", "client_metadata": {"status": "active"}})

    assert (changed.status_code, changed.get_json()["client_id"], changed.get_json()["profile"]) == (200, NUMBER, "fapi2")
    assert portal.world.calls[-1] == f"client {NUMBER}"
    assert {error["field"] for error in refused.get_json()["errors"]} == {"profile", "client_metadata"}
    assert portal.call("PUT", path, json=wanted).status_code == 401


def test_a_private_key_is_kept_nowhere(portal: PortalUnderTest) -> None:
    """Refused before anybody is told of the TPP."""
    private = {"client_metadata": {"jwks": {"keys": [{"kty": "EC", "d": "c2VjcmV0"}]}}}

    answer = portal.call("POST", "/api/tpps", json=REGISTRATION | private)

    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "client_metadata")
    assert "c2VjcmV0" not in answer.get_data(as_text=True)
    assert (portal.world.calls, portal.world.store.tpps) == ([], {})


def test_a_registration_taken_is_a_conflict(portal: PortalUnderTest) -> None:
    """409, and no certificate for the second."""
    portal.registered()

    answer = portal.call("POST", "/api/tpps", json=REGISTRATION)

    assert answer.status_code == 409
    assert "certificates" not in answer.get_json()


def test_one_address_registers_so_many_tpps_in_an_hour(portal: PortalUnderTest) -> None:
    """Each makes a bank, and nobody has to sign in: a stranger must not fill the register, or the disk, for everybody."""
    for _ in range(portal.settings.registrations_per_hour):
        portal.services.registrations.spend(ADDRESS)

    refused = portal.call("POST", "/api/tpps", json=REGISTRATION)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    assert refused.get_json()["code"] == "account.too_many_attempts"
    assert portal.world.calls == []
    elsewhere = {"X-Sandbox-Address": "198.51.100.9"}
    assert portal.call("POST", "/api/tpps", json=REGISTRATION, headers=elsewhere).status_code == 201


def test_a_service_out_of_reach_is_told(portal: PortalUnderTest) -> None:
    """503 with the service's name and what to do."""
    portal.world.bank.is_down = True

    answer = portal.call("POST", "/api/tpps", json=REGISTRATION)

    assert answer.status_code == 503
    assert answer.get_json()["code"] == "register.interrupted"
    assert "the bank service" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"json": []}, 400),
        ({"data": "name=acme", "content_type": "application/x-www-form-urlencoded"}, 400),
        ({"data": '{"name": "acme"}', "content_type": "text/plain"}, 400),
        ({"json": {**REGISTRATION, "csr": "text"}}, 400),
        ({"json": {**REGISTRATION, "csr": {"other": "text"}}}, 400),
        ({"json": {**REGISTRATION, "organisation": "a" * 70_000}}, 413),
    ],
)
def test_bodies_that_are_refused(portal: PortalUnderTest, options: dict[str, Any], status: int) -> None:
    """Only JSON objects of moderate size; a form of another site can't send those."""
    answer = portal.call("POST", "/api/tpps", **options)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert portal.world.calls == []


MANAGEMENT = [
    ("GET", f"/api/tpps/{NUMBER}", {}),
    ("DELETE", f"/api/tpps/{NUMBER}", {}),
    ("POST", f"/api/tpps/{NUMBER}/certificates", {"json": {"kind": "qwac"}}),
    ("POST", f"/api/tpps/{NUMBER}/certificates/00/revoke", {"json": {}}),
]


@pytest.mark.parametrize(("method", "path", "options"), MANAGEMENT)
def test_managing_a_registration_needs_its_token(
    portal: PortalUnderTest, method: str, path: str, options: dict[str, Any]
) -> None:
    """No token, a wrong one and another TPP's are refused with 401 and change nothing."""
    portal.registered()
    other = portal.call("POST", "/api/tpps", json={**REGISTRATION, "name": "other", "authorisation_number": "PSDDE-BAFIN-2"})
    portal.world.calls.clear()

    for token in (None, "guess", other.get_json()["registration_access_token"]):
        answer = portal.call(method, path, token=token, **options)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="registration"'
    assert portal.world.calls == []


def test_one_more_certificate_and_its_revocation(portal: PortalUnderTest) -> None:
    """The old one stays valid; the revocation reaches the gateway before the answer."""
    token = portal.registered()["registration_access_token"]

    issued = portal.call("POST", f"/api/tpps/{NUMBER}/certificates", token=token, json={"kind": "qwac"}).get_json()
    revoked = portal.call(
        "POST",
        f"/api/tpps/{NUMBER}/certificates/{issued['serial']}/revoke",
        token=token,
        json={"reason": "keyCompromise"},
    ).get_json()

    assert (revoked["status"], revoked["reason"], revoked["delivered"]) == ("revoked", "keyCompromise", True)
    assert portal.world.gateway.crls == [b"crl 2"]
    records = portal.call("GET", f"/api/tpps/{NUMBER}", token=token).get_json()["certificates"]
    assert sorted(record["status"] for record in records) == ["revoked", "valid", "valid"]


def test_a_revocation_counts_although_the_gateway_is_down(portal: PortalUnderTest) -> None:
    """It is recorded, and the answer says that it is still on its way."""
    registered = portal.registered()
    portal.world.gateway.is_down = True
    serial = registered["certificates"]["qwac"]["serial"]

    answer = portal.call(
        "POST",
        f"/api/tpps/{NUMBER}/certificates/{serial}/revoke",
        token=registered["registration_access_token"],
        json={},
    )

    assert (answer.status_code, answer.get_json()["delivered"]) == (200, False)


@pytest.mark.parametrize(
    "body", [{"kind": "tls"}, {}, {"kind": "qwac", "fault": "ugly"}, {"kind": "qwac", "days": 3}, {"kind": 1}]
)
def test_a_certificate_that_does_not_exist_is_not_issued(portal: PortalUnderTest, body: dict[str, Any]) -> None:
    """400 tells which values there are."""
    token = portal.registered()["registration_access_token"]
    portal.world.calls.clear()

    assert portal.call("POST", f"/api/tpps/{NUMBER}/certificates", token=token, json=body).status_code == 400
    assert portal.world.calls == []


def test_leaving(portal: PortalUnderTest) -> None:
    """Afterwards the token opens nothing any more."""
    token = portal.registered()["registration_access_token"]

    assert portal.call("DELETE", f"/api/tpps/{NUMBER}", token=token).status_code == 204
    assert portal.call("GET", f"/api/tpps/{NUMBER}", token=token).status_code == 401


def test_a_blocked_tpp_does_not_leave(portal: PortalUnderTest) -> None:
    """403: it would come back unblocked."""
    token = portal.registered()["registration_access_token"]
    register = portal.world.register
    register.set_blocked(register.require(NUMBER), blocked=True)

    answer = portal.call("DELETE", f"/api/tpps/{NUMBER}", token=token)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "register.blocked")
    assert portal.call("POST", "/api/tpps", json=REGISTRATION).status_code == 409


def test_a_defect_answers_without_its_details(portal: PortalUnderTest) -> None:
    """What went wrong is in the log, not in the answer."""

    def broken(_tpp: object) -> list[dict[str, Any]]:
        raise RuntimeError("a secret detail")

    portal.world.bank.put_tenant = broken  # type: ignore[method-assign]

    answer = portal.call("POST", "/api/tpps", json=REGISTRATION)

    assert answer.status_code == 500
    assert "secret" not in answer.get_data(as_text=True)


def test_the_key_is_pem(portal: PortalUnderTest) -> None:
    """What the portal answers can be used as it is."""
    qwac = portal.registered()["certificates"]["qwac"]

    key = serialization.load_pem_private_key(qwac["private_key"].encode(), password=None)

    assert key.public_key() == x509.load_pem_x509_certificate(qwac["certificate"].encode()).public_key()

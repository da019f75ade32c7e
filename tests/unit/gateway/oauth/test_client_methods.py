"""The ways in which clients authenticate; each refused request is wrong in one (RFC 8705 §2, FAPI 2.0 SP §5.3.2.1)."""

from __future__ import annotations

import base64
import datetime as dt
import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey
from sqlalchemy import select

from gateway.oauth.store import SqlOAuthStore
from gateway.register.model import AuthMethod, GrantType, SigningAlg
from gateway.tables.oauth import client_assertions
from tests.support.authorization import CLIENT, ISSUER, NUMBER, OTHER_NUMBER, AuthorizationWorld, authority, client, qwac
from tests.support.client_assertions import ASSERTION_TYPE, NOW, assertion
from tests.support.jose import Signer, eddsa, es256, jwks, ps256

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.pki import Issued


def ask(
    world: AuthorizationWorld, signed: str | None, *, certificate: Issued | None = None, **changes: str | None
) -> TestResponse:
    """Ask for a token with an assertion."""
    sent = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed} | changes
    return world.token(certificate=certificate, grant_type="client_credentials", **sent)


def reason_of(answer: TestResponse) -> str:
    assert answer.status_code in {400, 401}, answer.text
    reason: str = answer.get_json()["reason"]
    return reason


@pytest.fixture
def signing(world: AuthorizationWorld) -> AuthorizationWorld:
    """Lend a world whose client signs, with a key for each algorithm."""
    keys = json.loads(jwks(es256(), ps256(), eddsa()))
    world.register.save_client(client(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=keys))
    return world


@pytest.mark.parametrize("signer", [es256, ps256, eddsa])
@pytest.mark.parametrize("client_id", [CLIENT, None])
def test_an_assertion_authenticates(signing: AuthorizationWorld, signer: Any, client_id: str | None) -> None:
    """By each algorithm; the client's id may stand in the assertion alone (RFC 7521 §4.2)."""
    assert ask(signing, assertion(signer=signer()), client_id=client_id).status_code == 200


def test_it_does_at_every_endpoint(signing: AuthorizationWorld) -> None:
    """A new one for each request."""
    for count, path in enumerate(("/token", "/par", "/introspect", "/revoke")):
        body = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(jti=f"{count}"), "client_id": CLIENT}
        answer = signing.edge(path, qwac(), data={**body, "token": "x", "grant_type": "client_credentials"})
        assert answer.status_code != 401, path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": [ISSUER]}, "assertion.aud"),
        ({"aud": f"{ISSUER}/"}, "assertion.aud"),
        ({"aud": "https://localhost:8443/token"}, "assertion.aud"),
        ({"aud": None}, "assertion.aud"),
        ({"iss": "client-2"}, "assertion.iss"),
        ({"sub": "client-2"}, "assertion.sub"),
        ({"iss": None}, "assertion.iss"),
        ({"exp": None}, "assertion.exp"),
        ({"exp": NOW}, "assertion.exp"),
        ({"exp": NOW + 7200}, "assertion.exp"),
        ({"exp": "soon"}, "assertion.exp"),
        ({"iat": NOW + 61}, "assertion.iat"),
        ({"nbf": NOW + 61}, "assertion.nbf"),
        ({"jti": None}, "assertion.jti"),
        ({"jti": "x" * 257}, "assertion.jti"),
        ({"header": {"alg": "none"}}, "assertion.alg_none"),
        ({"header": {"alg": "HS256"}}, "assertion.alg_symmetric"),
        ({"header": {"alg": "RS256"}}, "assertion.alg"),
        ({"header": {"kid": "other"}}, "assertion.kid"),
        ({"header": {"typ": "at+jwt"}}, "assertion.typ"),
        ({"signer": Signer("ES256", "ec-1", ec.generate_private_key(ec.SECP256R1()))}, "assertion.signature"),
    ],
)
def test_a_faulty_assertion_does_not(signing: AuthorizationWorld, changes: dict[str, Any], reason: str) -> None:
    """Each fault has a name of its own, and says which parameter it is in."""
    answer = ask(signing, assertion(**changes))
    assert reason_of(answer) == reason
    assert answer.get_json()["error_description"].startswith("client_assertion: ")


@pytest.mark.parametrize(
    "changes", [{"iat": NOW + 10, "nbf": NOW + 10}, {"iat": None}, {"header": {"typ": "client-authentication+jwt"}}]
)
def test_a_clock_that_is_a_little_ahead_is_borne_with(signing: AuthorizationWorld, changes: dict[str, Any]) -> None:
    """10 seconds (FAPI 2.0 SP §5.3.2.1); an assertion may name its type."""
    assert ask(signing, assertion(**changes)).status_code == 200


def test_an_assertion_is_good_for_one_request(signing: AuthorizationWorld) -> None:
    """At whatever endpoint; what is kept of it goes when it has expired."""
    signed = assertion()
    assert ask(signing, signed).status_code == 200

    assert reason_of(ask(signing, signed)) == "assertion.replayed"
    assert reason_of(ask(signing, assertion(exp=NOW + 30))) == "assertion.replayed"
    assert ask(signing, assertion(jti="two")).status_code == 200
    assert SqlOAuthStore(signing.engine).prune(signing.clock.now() + dt.timedelta(seconds=61), 10) == 2
    with signing.engine.connect() as connection:
        assert not connection.execute(select(client_assertions)).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_assertion": None, "client_assertion_type": None}, "client.method"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "oauth.parameter"),
        ({"client_assertion_type": None}, "oauth.parameter"),
        ({"client_secret": "x"}, "oauth.parameter"),
        ({"client_id": "client-9"}, "client.unknown"),
        ({"client_id": "client-2"}, "client.certificate_mismatch"),
        ({"client_id": None, "client_assertion": "a.b.c"}, "assertion.sub"),
        ({"client_assertion": "eyJ"}, "assertion.form"),
        ({"certificate": qwac(OTHER_NUMBER)}, "client.certificate_mismatch"),
    ],
)
def test_a_signing_client_signs(signing: AuthorizationWorld, changes: dict[str, Any], reason: str) -> None:
    """The certificate of its TPP alone is not enough, nor is the assertion without it."""
    assert reason_of(ask(signing, changes.pop("client_assertion", assertion()), **changes)) == reason


def test_a_client_that_registered_one_algorithm_signs_with_it(world: AuthorizationWorld) -> None:
    """Another one is refused, however good its key."""
    registered = {"token_endpoint_auth_signing_alg": SigningAlg.PS256, "jwks": json.loads(jwks(es256(), ps256()))}
    world.register.save_client(client(token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, **registered))

    assert reason_of(ask(world, assertion())) == "assertion.alg"
    assert ask(world, assertion(signer=ps256())).status_code == 200


def test_a_client_that_does_not_sign_may_not_either(world: AuthorizationWorld) -> None:
    """One way for each client: the one it registered (RFC 6749 §2.3)."""
    assert reason_of(ask(world, assertion())) == "client.method"


@pytest.mark.parametrize(
    ("registered", "is_let_in"),
    [
        ({"tls_client_auth_subject_dn": f"CN=tpp.example,organizationIdentifier={NUMBER},O=Test TPP,C=DE"}, True),
        ({"tls_client_auth_subject_dn": f"CN=other.example,organizationIdentifier={NUMBER},O=Test TPP,C=DE"}, False),
        ({"tls_client_auth_san_dns": "TPP.example"}, True),
        ({"tls_client_auth_san_dns": "other.example"}, False),
        ({"tls_client_auth_san_uri": "urn:tpp:1"}, True),
        ({"tls_client_auth_san_uri": "urn:tpp:2"}, False),
        ({"tls_client_auth_san_ip": "2001:DB8:0::1"}, True),
        ({"tls_client_auth_san_ip": "2001:db8::2"}, False),
        ({"tls_client_auth_san_email": "it@TPP.example"}, True),
        ({"tls_client_auth_san_email": "IT@tpp.example"}, False),
    ],
)
def test_a_registered_subject_must_stand_in_the_certificate(
    world: AuthorizationWorld, registered: dict[str, str], *, is_let_in: bool
) -> None:
    """On top of the TPP's number (RFC 8705 §2.1.2)."""
    uri, address, email = "urn:tpp:1", ip_address("2001:db8::1"), "it@tpp.example"
    names = [x509.UniformResourceIdentifier(uri), x509.IPAddress(address), x509.RFC822Name(email)]
    certificate = authority().qwac(more_names=names)
    world.register.save_client(client(**registered))

    answer = world.token(certificate=certificate, grant_type="client_credentials")

    assert (answer.status_code, answer.get_json().get("reason")) == (
        (200, None) if is_let_in else (401, "client.certificate_subject")
    )


def test_a_certificate_without_such_names_is_refused(world: AuthorizationWorld) -> None:
    """Nothing to compare is no match."""
    world.register.save_client(client(tls_client_auth_san_dns="tpp.example"))

    answer = world.token(certificate=authority().qwac(with_san=False), grant_type="client_credentials")

    assert reason_of(answer) in {"client.certificate_subject", "mtls.not_a_qwac"}


def test_a_registered_certificate_is_the_only_one_taken(world: AuthorizationWorld) -> None:
    """`self_signed_tls_client_auth`: another one of the same TPP, even for the same key, is not (RFC 8705 §2.2)."""
    key = ec.generate_private_key(ec.SECP256R1())
    mine, renewed = (authority().qwac(subject_key=key) for _ in range(2))
    jwk = {**ECKey(key.public_key(), None).as_dict(private=False), "x5c": [base64.b64encode(mine.der).decode()]}
    method = AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
    world.register.save_client(client(token_endpoint_auth_method=method, jwks={"keys": [jwk]}))

    assert world.token(certificate=mine, grant_type="client_credentials").status_code == 200
    assert reason_of(world.token(certificate=renewed, grant_type="client_credentials")) == "client.certificate_unregistered"
    assert reason_of(ask(world, assertion(), certificate=mine)) == "client.method"


def test_a_client_uses_the_grants_that_it_registered(world: AuthorizationWorld) -> None:
    """And gets no refresh token that it could not use."""
    world.register.save_client(client(grant_types=(GrantType.AUTHORIZATION_CODE,)))

    assert "refresh_token" not in world.tokens()
    assert world.token(grant_type="client_credentials").get_json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("subject", ["\ud800", "client-1\x00", "cl\u0131ent-1"])
def test_whom_no_client_id_can_name_is_not_looked_for(signing: AuthorizationWorld, subject: str) -> None:
    """Half a character and NUL are JSON, and what databases take as no text at all."""
    answer = ask(signing, assertion(sub=subject, iss=subject), client_id=None)
    assert (answer.status_code, answer.get_json()["error"], reason_of(answer)) == (401, "invalid_client", "assertion.sub")


@pytest.mark.parametrize(
    ("compact", "rule"),
    [
        ("a.b.c.d.e", "is no JWS: three parts"),
        ("a.=.c", "its payload is not base64url"),
        ("a.W10.c", "its payload is JSON, but no object"),
        ("a.eyJzdWIiOiJhIiwic3ViIjoiYiJ9.c", "its payload names a member twice"),
    ],
)
def test_one_that_can_not_be_read_says_so(signing: AuthorizationWorld, compact: str, rule: str) -> None:
    """Where no client_id stands beside it to say whose it is."""
    answer = ask(signing, compact, client_id=None)
    assert answer.get_json()["error"] == "invalid_client"
    assert answer.get_json()["error_description"].startswith(f"client_assertion: {rule}")


def test_an_assertion_that_names_nobody_authenticates_nobody(signing: AuthorizationWorld) -> None:
    """Which is a failed authentication, not a parameter that is missing (RFC 7521 §4.2)."""
    answer = ask(signing, assertion(sub=None), client_id=None)
    assert (answer.get_json()["error"], reason_of(answer)) == ("invalid_client", "assertion.sub")

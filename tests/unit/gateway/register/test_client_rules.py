"""What an OAuth client may register beyond its addresses; each refused one is wrong in one way."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey

from gateway.register.client_rules import require_consistent_client
from gateway.register.distinguished_names import is_same_name, parse_name
from gateway.register.model import (
    ApplicationType,
    AuthMethod,
    Client,
    ClientProfile,
    ClientRefused,
    DeliveryMode,
    GrantType,
    SigningAlg,
)
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from psd2.clock import FixedClock
from tests.support.authorization import START, client, tpp
from tests.support.pki import Authority, key_of, self_issued

if TYPE_CHECKING:
    from sqlalchemy import Engine

CIBA = (GrantType.AUTHORIZATION_CODE, GrantType.CIBA)
POLLING = {"grant_types": CIBA, "backchannel_token_delivery_mode": DeliveryMode.POLL}
KEY = ECKey.generate_key("P-256", {"kid": "one"})


def jwks(*keys: ECKey | dict[str, Any]) -> dict[str, Any]:
    """Return the public key set of these keys."""
    return {"keys": [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]}


def self_signed() -> dict[str, Any]:
    """Return a key that names its certificate."""
    authority = Authority()
    public = ECKey.import_key(authority.certificate.public_key()).as_dict(private=False)
    der = authority.certificate.public_bytes(Encoding.DER)
    return {**public, "kid": "tls", "x5c": [base64.b64encode(der).decode()]}


P384 = key_of(self_issued(key=ec.generate_private_key(ec.SECP384R1())))
BY_OTHER_CURVE = {"token_endpoint_auth_method": AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH, "jwks": {"keys": [P384]}}
SIGNING_BY_OTHER_CURVE = BY_OTHER_CURVE | {"profile": ClientProfile.FAPI2_MESSAGE_SIGNING}
PRIVATE_KEY_JWT = {"token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT, "profile": ClientProfile.FAPI2}


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="as the first ones were"),
        pytest.param(PRIVATE_KEY_JWT | {"jwks": jwks(KEY), "token_endpoint_auth_signing_alg": SigningAlg.ES256}, id="jwks"),
        pytest.param(PRIVATE_KEY_JWT | {"jwks_uri": "https://tpp.example/jwks"}, id="jwks_uri"),
        pytest.param({"tls_client_auth_subject_dn": "CN=tpp.example,O=Acme\\, Inc.,C=DE"}, id="subject"),
        pytest.param({"tls_client_auth_san_dns": "tpp.example"}, id="dns"),
        pytest.param({"tls_client_auth_san_uri": "urn:tpp:1"}, id="uri"),
        pytest.param({"tls_client_auth_san_ip": "2001:db8::1"}, id="ip"),
        pytest.param({"tls_client_auth_san_email": "it@tpp.example"}, id="email"),
        pytest.param(
            {"token_endpoint_auth_method": AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH, "jwks": {"keys": [self_signed()]}},
            id="self-signed",
        ),
        pytest.param(BY_OTHER_CURVE, id="self-signed on P-384"),
        pytest.param(
            SIGNING_BY_OTHER_CURVE | {"jwks": {"keys": [P384, *jwks(KEY)["keys"]]}}, id="on P-384, and one that signs"
        ),
        pytest.param({"profile": ClientProfile.FAPI2_MESSAGE_SIGNING, "jwks": jwks(KEY)}, id="message signing"),
        pytest.param({"profile": ClientProfile.FAPI2, "dpop_bound_access_tokens": True}, id="DPoP"),
        pytest.param({"grant_types": (GrantType.CLIENT_CREDENTIALS,), "redirect_uris": ()}, id="without PSUs"),
        pytest.param(POLLING, id="poll"),
        pytest.param(
            POLLING | {"backchannel_authentication_request_signing_alg": SigningAlg.ES256, "jwks": jwks(KEY)}, id="signed asks"
        ),
        pytest.param(
            {
                "grant_types": CIBA,
                "backchannel_token_delivery_mode": DeliveryMode.PING,
                "backchannel_client_notification_endpoint": "https://tpp.example/ping",
                "authorization_details_types": ("account_information",),
                "application_type": ApplicationType.NATIVE,
            },
            id="ping",
        ),
    ],
)
def test_a_client_comes_back_as_it_was_registered(engine: Engine, members: dict[str, Any]) -> None:
    """With every member, through the database."""
    register = Register(store=SqlRegisterStore(engine), clock=FixedClock(START))
    register.save_tpp(tpp())

    assert register.save_client(client(**members)) is True

    assert register.client(client().client_id) == client(**members)


@pytest.mark.parametrize(
    ("members", "field", "said"),
    [
        ({"token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT}, "jwks", "needs the client's keys"),
        (PRIVATE_KEY_JWT | {"jwks": jwks(KEY), "jwks_uri": "https://tpp.example/jwks"}, "jwks_uri", "one of them"),
        (PRIVATE_KEY_JWT | {"jwks_uri": "http://tpp.example/jwks"}, "jwks_uri", "https"),
        (PRIVATE_KEY_JWT | {"jwks_uri": "https://user@tpp.example/jwks"}, "jwks_uri", "without fragment or user"),
        (PRIVATE_KEY_JWT | {"jwks": {"keys": [KEY.as_dict(private=True)]}}, "jwks.keys.0.d", "private"),
        (PRIVATE_KEY_JWT | {"jwks": {"keys": []}}, "jwks.keys", "1 to 20"),
        (PRIVATE_KEY_JWT | {"jwks": {"keys": [self_signed() | {"x5c": ["AAAA"]}]}}, "jwks.keys.0.x5c", "RFC 7517"),
        (
            PRIVATE_KEY_JWT | {"jwks": {"keys": [{**jwks(KEY)["keys"][0], "x5c": self_signed()["x5c"]}]}},
            "jwks.keys.0.x5c",
            "another key",
        ),
        (
            {"token_endpoint_auth_method": AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH, "jwks": jwks(KEY)},
            "jwks.keys",
            "x5c",
        ),
        ({"token_endpoint_auth_signing_alg": SigningAlg.PS256}, "token_endpoint_auth_signing_alg", "private_key_jwt"),
        ({"tls_client_auth_subject_dn": "no name"}, "tls_client_auth_subject_dn", "RFC 4514"),
        ({"tls_client_auth_san_dns": "*.tpp.example"}, "tls_client_auth_san_dns", "DNS name"),
        ({"tls_client_auth_san_uri": "tpp"}, "tls_client_auth_san_uri", "absolute URI"),
        ({"tls_client_auth_san_ip": "127.0.0.256"}, "tls_client_auth_san_ip", "IPv4"),
        ({"tls_client_auth_san_email": "tpp"}, "tls_client_auth_san_email", "e-mail"),
        (
            {"tls_client_auth_san_dns": "tpp.example", "tls_client_auth_san_ip": "192.0.2.1"},
            "tls_client_auth_san_ip",
            "one of them",
        ),
        (
            PRIVATE_KEY_JWT | {"jwks": jwks(KEY), "tls_client_auth_san_dns": "tpp.example"},
            "tls_client_auth_san_dns",
            "belongs to",
        ),
        ({"profile": ClientProfile.FAPI2_MESSAGE_SIGNING}, "jwks", "request objects"),
        (SIGNING_BY_OTHER_CURVE, "jwks.keys", "must hold a key that signs its requests"),
        (PRIVATE_KEY_JWT | {"jwks": {"keys": [P384]}}, "jwks.keys.0", "P-256"),
        ({"dpop_bound_access_tokens": True}, "dpop_bound_access_tokens", "FAPI 2.0"),
        ({"require_signed_request_object": True, "jwks": jwks(KEY)}, "require_signed_request_object", "FAPI 2.0"),
        ({"grant_types": ()}, "grant_types", "one at least"),
        ({"grant_types": (GrantType.CLIENT_CREDENTIALS, GrantType.REFRESH_TOKEN)}, "grant_types", "of no use"),
        ({"grant_types": (GrantType.AUTHORIZATION_CODE,) * 2}, "grant_types", "twice"),
        ({"grant_types": CIBA}, "backchannel_token_delivery_mode", "missing"),
        (
            {"grant_types": CIBA, "backchannel_token_delivery_mode": DeliveryMode.PING},
            "backchannel_client_notification_endpoint",
            "is missing",
        ),
        (
            {
                "grant_types": CIBA,
                "backchannel_token_delivery_mode": DeliveryMode.POLL,
                "backchannel_client_notification_endpoint": "https://tpp.example/ping",
            },
            "backchannel_client_notification_endpoint",
            "belongs to delivery mode ping",
        ),
        ({"backchannel_token_delivery_mode": DeliveryMode.POLL}, "backchannel_token_delivery_mode", "grant_types"),
        (
            {"backchannel_authentication_request_signing_alg": SigningAlg.ES256, "jwks": jwks(KEY)},
            "backchannel_authentication_request_signing_alg",
            "grant_types",
        ),
        (POLLING | {"backchannel_authentication_request_signing_alg": SigningAlg.ES256}, "jwks", "jwks_uri is missing"),
        ({"authorization_details_types": ("a b",)}, "authorization_details_types", "names of types"),
    ],
)
def test_a_client_that_does_not_fit_together_is_refused(members: dict[str, Any], field: str, said: str) -> None:
    """By the member that is wrong, and by that alone."""
    with pytest.raises(ClientRefused, match=said) as caught:
        require_consistent_client(client(**members))

    assert [fault.field for fault in caught.value.faults] == [field]


def test_every_fault_is_told_at_once() -> None:
    """Not one after the other."""
    faulty = client(redirect_uris=("http://tpp.example/", "x"), tls_client_auth_san_ip="x", dpop_bound_access_tokens=True)

    with pytest.raises(ClientRefused) as caught:
        require_consistent_client(faulty)

    fields = [fault.field for fault in caught.value.faults]
    assert fields == ["redirect_uris[0]", "redirect_uris[1]", "tls_client_auth_san_ip", "dpop_bound_access_tokens"]


@pytest.mark.parametrize(
    ("text", "is_same"),
    [
        ("CN=tpp.example,O=Acme\\, Inc.,C=DE", True),
        ("cn=TPP.example,o=acme\\2C  inc.,c=de", True),
        ("2.5.4.3=tpp.example,O=Acme\\, Inc.,C=DE", True),
        ("C=DE,O=Acme\\, Inc.,CN=tpp.example", False),
        ("CN=tpp.example,O=Acme\\, Inc.", False),
        ("CN=tpp.example+O=Acme\\, Inc.,C=DE", False),
        ("CN=tpp2.example,O=Acme\\, Inc.,C=DE", False),
    ],
)
def test_names_are_compared_by_meaning(text: str, *, is_same: bool) -> None:
    """By RDN and in order; letter case, escapes and the way in which a type is written make no difference (RFC 4514)."""
    attribute, oid = x509.NameAttribute, x509.NameOID
    name = x509.Name(
        [
            attribute(oid.COUNTRY_NAME, "DE"),
            attribute(oid.ORGANIZATION_NAME, "Acme, Inc."),
            attribute(oid.COMMON_NAME, "tpp.example"),
        ]
    )

    assert is_same_name(parse_name(text), name) is is_same


def test_what_was_registered_by_no_new_member_is_kept_as_nothing(engine: Engine) -> None:
    """So that clients registered before a member came have its default."""
    standing: Client = client()
    register = Register(store=SqlRegisterStore(engine), clock=FixedClock(START))
    register.save_tpp(tpp())
    register.save_client(standing)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT oauth_metadata FROM clients").scalar_one() == "{}"

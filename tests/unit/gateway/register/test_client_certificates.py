"""The self-signed certificates that clients authenticate by: whose they are, and that the edge hears so (RFC 8705 §2.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from gateway.register.model import AuthMethod, Client, ClientRefused
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from gateway.tables.configuration import changes
from psd2.clock import FixedClock
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, START, authority, client, tpp
from tests.support.pki import Authority, Issued, key_of, self_issued

if TYPE_CHECKING:
    from sqlalchemy import Engine

KEY = ec.generate_private_key(ec.SECP256R1())
FIRST, SECOND = self_issued(key=KEY), self_issued(key=KEY)


@pytest.fixture
def register(engine: Engine) -> Register:
    return Register(store=SqlRegisterStore(engine), clock=FixedClock(START))


def told(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row.kind, row.key) for row in connection.execute(select(changes).order_by(changes.c.id))]


def signing_itself(*certificates: Issued, client_id: str = CLIENT, number: str = NUMBER, **members: Any) -> Client:
    keys = {"jwks": {"keys": [key_of(each) for each in certificates]}} | members
    method = AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH
    return client(client_id=client_id, authorisation_number=number, token_endpoint_auth_method=method, **keys)


def holders(engine: Engine, certificate: Issued) -> tuple[str, ...]:
    return SqlRegisterStore(engine).certificate_holders(certificate.sha256)


def test_a_clients_self_signed_certificates_are_known_and_told(register: Register, engine: Engine) -> None:
    """As long as they are registered; each change of one tells which."""
    register.save_tpp(tpp())
    register.save_client(signing_itself(FIRST))
    register.save_client(signing_itself(FIRST, client_id="sibling"))
    assert holders(engine, FIRST) == (CLIENT, "sibling")

    before = len(told(engine))
    register.save_client(signing_itself(SECOND))
    certificates = [key for kind, key in told(engine)[before:] if kind == "client_certificate"]
    assert sorted(certificates) == sorted([FIRST.sha256, SECOND.sha256])
    assert (holders(engine, FIRST), holders(engine, SECOND)) == (("sibling",), (CLIENT,))

    register.delete_client("sibling")
    assert ("client_certificate", FIRST.sha256) in told(engine)[-4:]
    register.save_client(replace(signing_itself(SECOND), token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT))
    assert holders(engine, FIRST) == holders(engine, SECOND) == ()


def test_only_what_its_own_key_has_signed_needs_no_authority(register: Register, engine: Engine) -> None:
    """A QWAC in `x5c` is pinned, and judged by its authority; one that merely names itself as its issuer is nobody's."""
    register.save_tpp(tpp())
    other = Authority()
    other.name = FIRST.certificate.subject
    qwac, forged = authority().qwac(), other.qwac(subject_key=KEY)
    register.save_client(signing_itself(qwac, forged, FIRST))
    assert [holders(engine, each) for each in (qwac, forged, FIRST)] == [(), (), (CLIENT,)]


def test_a_certificate_says_which_tpp_is_calling(register: Register, engine: Engine) -> None:
    """So no second TPP registers it: whose it is must not hang on who asks."""
    register.save_tpp(tpp())
    register.save_tpp(tpp(authorisation_number=OTHER_NUMBER, country="FR", nca_id="FR-ACPR", nca_name="ACPR"))
    register.save_client(signing_itself(FIRST))

    with pytest.raises(ClientRefused, match="another TPP's client") as caught:
        register.save_client(signing_itself(SECOND, FIRST, client_id="other", number=OTHER_NUMBER))
    assert [fault.field for fault in caught.value.faults] == ["jwks.keys.1.x5c"]
    assert (register.client("other"), holders(engine, FIRST), holders(engine, SECOND)) == (None, (CLIENT,), ())


def test_a_client_that_goes_on_publishing_where_it_did_keeps_its_certificates(register: Register, engine: Engine) -> None:
    """At another address they are looked for anew."""
    store, now = SqlRegisterStore(engine), START
    register.save_tpp(tpp())
    publishing = signing_itself(jwks=None, jwks_uri="https://tpp.example/jwks")
    register.save_client(publishing)
    assert list(store.publishing_clients()) == [publishing]
    store.follow_certificates(publishing, {FIRST.sha256}, now)
    register.save_client(replace(publishing, name="Other"))
    assert holders(engine, FIRST) == (CLIENT,)

    store.follow_certificates(publishing, {SECOND.sha256}, now)  # as it was before: it has changed meanwhile
    assert holders(engine, SECOND) == ()
    register.save_client(replace(publishing, jwks_uri="https://tpp.example/other"))
    assert holders(engine, FIRST) == ()

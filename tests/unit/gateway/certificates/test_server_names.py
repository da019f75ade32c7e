"""Server names and rules of TLS: what can't be is refused with its field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.listeners import LISTENERS
from gateway.certificates.server_names import SERVER_NAMES
from gateway.configuration.changes import Change, DocumentInUse
from gateway.configuration.model import Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from psd2.clock import FixedClock
from tests.support.stored_certificates import ISSUING, NOW, version

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.pki import Issued

SHOP = {"names": ["shop.example", "*.shop.example"], "listeners": ["edge", "front"], "certificate": "shop"}


@pytest.fixture(scope="module")
def leaf() -> Issued:
    return ISSUING.server("shop.example", "*.shop.example")


@pytest.fixture
def configuration(engine: Engine, leaf: Issued) -> Configuration:
    """Lend one with a certificate."""
    kinds = Kinds((CERTIFICATES, LISTENERS, SERVER_NAMES))
    made = Configuration(kinds=kinds, store=SqlConfigurationStore(engine), clock=FixedClock(NOW))
    put(made, "certificates", "shop", {"versions": [version(leaf)]})
    return made


def put(configuration: Configuration, kind: str, name: str, body: dict[str, Any] | None) -> None:
    configuration.apply([Change(kind=kind, name=name, body=body)])


def refused(configuration: Configuration, kind: str, name: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(SetRefused) as caught:
        put(configuration, kind, name, body)
    return [(fault.field, fault.problem) for fault in caught.value.faults]


def test_a_certificate_that_names_use_is_not_deleted(configuration: Configuration) -> None:
    """It can go when they are gone."""
    put(configuration, "server-names", "shop", SHOP)
    with pytest.raises(DocumentInUse, match="server-names/shop"):
        put(configuration, "certificates", "shop", None)
    put(configuration, "server-names", "shop", None)
    put(configuration, "certificates", "shop", None)


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        ({"names": ["other.example"]}, "names[0]", "no DNS name of the certificate, which has *.shop.example, shop.example"),
        ({"names": ["a.b.shop.example"]}, "names[0]", "no DNS name of the certificate"),
        ({"names": ["Shop.example"]}, "names[0]", "is no server name"),
        ({"names": ["shop*.example"]}, "names[0]", "is no server name"),
        ({"names": ["*.example"]}, "names[0]", "is no server name"),
        ({"names": ["shop.example", "shop.example"]}, "names", "twice"),
        ({"listeners": ["welcome"]}, "listeners[0]", "speaks no TLS"),
        ({"certificate": "none"}, "certificate", "there is no certificates/none"),
    ],
)
def test_names_that_can_not_be_served_are_refused(
    configuration: Configuration, changed: dict[str, Any], field: str, problem: str
) -> None:
    ((told_field, told),) = refused(configuration, "server-names", "shop", SHOP | changed)
    assert told_field == field
    assert problem in told


def test_a_name_belongs_to_one_document_on_each_listener(configuration: Configuration) -> None:
    """Who is shown which certificate would depend on chance otherwise."""
    put(configuration, "server-names", "shop", SHOP | {"listeners": ["edge"]})
    put(configuration, "server-names", "front", SHOP | {"listeners": ["front"]})
    ((field, problem), *_) = refused(configuration, "server-names", "again", SHOP | {"names": ["shop.example"]})
    assert field == "names[0]"
    assert "too" in problem


def test_a_certificate_that_can_prove_nothing_is_not_shown(configuration: Configuration, leaf: Issued) -> None:
    """None without a key, none for clients, none for seals, and none that no longer has a name in use."""
    put(configuration, "server-names", "shop", SHOP)
    other = ISSUING.server("other.example")
    seal = ISSUING.qseal(usages=("content_commitment",))
    client = ISSUING.qwac(usages=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    cases = {
        "has no private key": {"stage": "current", "chain": leaf.pem},
        "no DNS name": version(other),
        "lacks digitalSignature": version(seal),
        "lacks serverAuth": version(client),
    }
    for problem, case in cases.items():
        faults = refused(configuration, "certificates", "shop", {"versions": [case]})
        assert any(problem in told for _, told in faults)


def test_unsafe_rules_of_tls_are_refused(configuration: Configuration) -> None:
    """Old versions, suites without forward secrecy or AEAD, and rules that leave nothing."""
    cases: list[tuple[str, dict[str, Any], str, str]] = [
        ("edge", {"lowest_version": "1.1"}, "tls.lowest_version", "'1.2' or '1.3'"),
        ("edge", {"suites": ["ECDHE-RSA-AES128-SHA"]}, "tls.suites[0]", "forward secrecy and AEAD are needed"),
        ("edge", {"suites": ["AES128-GCM-SHA256"]}, "tls.suites[0]", "forward secrecy and AEAD are needed"),
        ("edge", {"suites": ["ALL:@SECLEVEL=0"]}, "tls.suites[0]", "forward secrecy and AEAD are needed"),
        ("edge", {"suites": []}, "tls.suites", "at least 1"),
        ("edge", {"lowest_version": "1.3", "highest_version": "1.2"}, "tls.lowest_version", "above highest_version"),
        ("edge", {"lowest_version": "1.3", "suites": ["ECDHE-RSA-AES128-GCM-SHA256"]}, "tls.suites", "are of TLS 1.2"),
        ("edge", {"suites": ["ECDHE-RSA-AES128-GCM-SHA256"] * 2}, "tls.suites", "twice"),
        ("welcome", {}, "name", "no listener with TLS"),
    ]
    for name, tls, field, problem in cases:
        ((told_field, told),) = refused(configuration, "listeners", name, {"tls": tls})
        assert (told_field, problem in told) == (field, True)


def test_rules_leave_each_certificate_a_suite(configuration: Configuration) -> None:
    """Or clients of TLS 1.2 would fail; with 1.3 alone none is needed."""
    put(configuration, "server-names", "shop", SHOP | {"listeners": ["edge"]})
    rsa_only = {"tls": {"suites": ["ECDHE-RSA-AES128-GCM-SHA256"]}}
    ((field, problem),) = refused(configuration, "listeners", "edge", rsa_only)
    assert field == "certificate"
    assert "no suite for its ECDSA key" in problem
    put(configuration, "listeners", "front", rsa_only)
    put(configuration, "listeners", "edge", {"tls": {"lowest_version": "1.3"}})
    key = rsa.generate_private_key(65537, 2048)
    issued = ISSUING.qwac(subject_key=key)  # its name is tpp.example
    put(configuration, "certificates", "rsa", {"versions": [version(issued)]})
    put(configuration, "server-names", "rsa", {"names": ["tpp.example"], "listeners": ["front"], "certificate": "rsa"})

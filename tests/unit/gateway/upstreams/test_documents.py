"""What a document may say of an upstream, and what is refused, with the field that is wrong."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from chassis.addresses import Address
from gateway.configuration.model import Document, DocumentRefused, Reference
from gateway.policies.kind import DEPLOYMENTS
from gateway.policies.model import Upstream as Service
from gateway.upstreams.documents import parse, untimely
from tests.support.foreign_upstream import pin_of
from tests.support.pki import Authority

if TYPE_CHECKING:
    from gateway.upstreams.model import Upstream

AUTHORITY = Authority("Somebody's CA")
PIN, BACKUP = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
TLS: dict[str, Any] = {"authorities": [AUTHORITY.pem]}
GOOD: dict[str, Any] = {"targets": [{"host": "pay.example"}], "tls": TLS}


def read(body: dict[str, Any], name: str = "payments") -> Upstream:
    return parse(Document("upstreams", name, body))


def faults(body: dict[str, Any], name: str = "payments") -> set[str]:
    with pytest.raises(DocumentRefused) as refused:
        read(body, name)
    return {fault.field for fault in refused.value.faults}


def test_what_a_server_outside_is_told_by_default() -> None:
    """Its own name, and nothing of who calls."""
    upstream = read(GOOD)
    assert (upstream.targets, upstream.host) == ((Address("pay.example", 443),), b"pay.example")
    assert (upstream.service, upstream.passes_identity) == (None, False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tls": None}, "tls"),
        ({"tls": {}}, "tls.authorities"),
        ({"tls": {"authorities": ["no PEM"]}}, "tls.authorities[0]"),
        ({"tls": {"authorities": [AUTHORITY.server("pay.example").pem]}}, "tls.authorities[0]"),
        ({"tls": TLS | {"pins": [PIN]}}, "tls.pins"),
        ({"tls": TLS | {"pins": [PIN, PIN]}}, "tls.pins"),
        ({"tls": TLS | {"pins": [PIN, "abc"]}}, "tls.pins[1]"),
        ({"tls": TLS | {"lowest_version": "1.3", "highest_version": "1.2"}}, "tls.lowest_version"),
        ({"tls": TLS | {"lowest_version": "1.1"}}, "tls.lowest_version"),
        ({"targets": []}, "targets"),
        ({"targets": [{"host": "a.example"}, {"host": "A.example"}]}, "targets[1]"),
        ({"targets": [{"host": "a.example"}, {"host": "b.example"}]}, "host"),
        ({"targets": [{"host": "a.example\r\nx"}]}, "targets[0].host"),
        ({"client_certificates": [{"certificate": "ours", "hosts": ["*.other.example"]}]}, "client_certificates[0].hosts"),
        ({"client_certificates": [{"certificate": "ours", "hosts": ["pay.*"], "port": 444}]}, "client_certificates[0].hosts"),
        ({"client_certificates": [{"certificate": "../gateway", "hosts": ["*"]}]}, "client_certificates[0].certificate"),
        ({"client_certificates": [{"stored": "../gateway", "hosts": ["*"]}]}, "client_certificates[0].stored"),
        ({"client_certificates": [{"hosts": ["pay.*"]}]}, "client_certificates[0].stored"),
        ({"client_certificates": [{"stored": "a", "certificate": "a", "hosts": ["pay.*"]}]}, "client_certificates[0].stored"),
        ({"service": "bank"}, "tls"),
    ],
)
def test_a_fault_is_named_by_its_field(change: dict[str, Any], field: str) -> None:
    assert field in faults(GOOD | change)


def test_the_name_of_an_internal_service_is_nobody_elses() -> None:
    """A document can name more instances of the bank, not put another server in its place."""
    assert "service" in faults(GOOD, "bank")
    replicas = read({"service": "bank", "targets": [{"host": "bank-1"}, {"host": "bank-2"}]}, "bank")
    assert (replicas.service, replicas.passes_identity, replicas.host) == (Service.BANK, True, None)


def test_the_certificate_that_is_shown_depends_on_host_and_port() -> None:
    """By name, wildcard and port; the first that fits."""
    targets = [{"host": "a.pay.example"}, {"host": "pay.example", "port": 8443}, {"host": "other.example"}]
    shown = [
        {"certificate": "on-8443", "hosts": ["pay.example"], "port": 8443},
        {"stored": "below", "hosts": ["*.pay.example"]},
    ]
    upstream = read(GOOD | {"targets": targets, "host": "pay.example", "client_certificates": shown})
    named = [upstream.certificate_for(target) for target in upstream.targets]
    assert [each and (each.name, each.is_stored) for each in named] == [("below", True), ("on-8443", False), None]


def test_an_authority_that_has_expired_is_not_to_be_written_now() -> None:
    expired = Authority("Old", not_after=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
    upstream = read(GOOD | {"tls": {"authorities": [expired.pem]}})
    assert [fault.field for fault in untimely(upstream, dt.datetime.now(dt.UTC))] == ["tls.authorities[0]"]


def test_a_deployment_leads_to_an_upstream_that_is_there() -> None:
    """Those that come with the gateway are always there; any other has its document, which then can't be deleted."""
    routes = [{"path": "/a", "methods": ["GET"]}, {"path": "/b", "methods": ["GET"], "upstream": "bank"}]
    body = {"listener": "edge", "upstream": "payments", "mtls": "required", "routes": routes}
    deployment = DEPLOYMENTS.parse(Document("deployments", "pay", body))
    assert list(DEPLOYMENTS.references(deployment)) == [Reference("routes[0].upstream", "upstreams", "payments")]


def test_pins_are_hashes_of_keys() -> None:
    leaf = AUTHORITY.server("pay.example")
    upstream = read(GOOD | {"tls": TLS | {"pins": [pin_of(leaf), BACKUP]}})
    assert upstream.proof is not None
    assert base64.b64decode(pin_of(leaf)) in upstream.proof.pins

"""What a document may say of a relay, and how relays and clients are kept apart."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.configuration.model import Document, DocumentRefused, Kinds
from gateway.configuration.snapshot import Parsed, SetRefused, Snapshot, require_consistent
from gateway.policies.kind import DEPLOYMENTS
from gateway.policies.model import Listener
from gateway.relays.kind import RELAYS, parse
from gateway.relays.part import Relays
from gateway.trust.kind import TRUST_STORES
from tests.support.pki import Authority

KINDS = Kinds((DEPLOYMENTS, RELAYS, TRUST_STORES))
OF_RELAYS, OF_CLIENTS = Authority("CA of relays"), Authority("CA of clients")
CERTIFICATE = {"form": "rfc9440", "trust_store": "relays"}
PREFACE = {"listeners": ["edge"], "networks": ["10.0.0.0/8"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "certificate"),
        ({"certificate": CERTIFICATE | {"trust_store": "tpp"}}, "certificate.trust_store"),
        ({"certificate": CERTIFICATE | {"form": "pem"}}, "certificate.form"),
        ({"certificate": CERTIFICATE | {"header": "X-Who"}}, "certificate.header"),
        ({"certificate": CERTIFICATE | {"header": "Authorization"}}, "certificate.header"),
        ({"proxy_protocol": PREFACE | {"networks": []}}, "proxy_protocol.networks"),
        ({"proxy_protocol": PREFACE | {"networks": ["10.0.0.1/8"]}}, "proxy_protocol.networks[0]"),
        ({"proxy_protocol": PREFACE | {"listeners": ["moon"]}}, "proxy_protocol.listeners[0]"),
    ],
)
def test_a_fault_is_named_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        parse(Document("relays", "front", body))
    assert [fault.field for fault in refused.value.faults] == [field]


def snapshot(store: Authority, *, of_clients: str = "clients", second: bool = False) -> Snapshot:
    """Return a set with a store of relays, one of clients, a deployment that uses `of_clients`, and one relay or two."""
    documents = [
        Document("trust-stores", "relays", {"profile": "client", "bundles": {"a": {"anchors": [store.pem]}}}),
        Document("trust-stores", "clients", {"profile": "client", "bundles": {"a": {"anchors": [OF_CLIENTS.pem]}}}),
        Document("relays", "front", {"certificate": CERTIFICATE}),
        Document(
            "deployments",
            "api",
            {
                "listener": "edge",
                "upstream": "bank",
                "mtls": "required",
                "trust_store": of_clients,
                "routes": [{"path": "/a", "methods": ["GET"]}],
            },
        ),
    ]
    if second:
        documents.append(Document("relays", "front-2", {"certificate": CERTIFICATE}))
    return Snapshot(Parsed(each, KINDS[each.kind].parse(each)) for each in documents)


def test_a_store_of_its_own_is_taken() -> None:
    require_consistent(KINDS, snapshot(OF_RELAYS))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (snapshot(OF_RELAYS, of_clients="relays"), "could then pass for anybody"),
        (snapshot(OF_CLIENTS), "CN=CA of clients,C=DE in common with trust-stores/clients"),
        (snapshot(OF_RELAYS, second=True), "one relay, one store"),
    ],
)
def test_whoever_is_a_client_can_be_no_relay(wrong: Snapshot, said: str) -> None:
    """Neither by the same store nor by a CA in both; and of two relays nobody could tell which one it is."""
    with pytest.raises(SetRefused, match=said):
        require_consistent(KINDS, wrong)


def test_networks_of_several_relays_are_put_together_by_listener() -> None:
    bodies = [PREFACE, {"listeners": ["edge", "front"], "networks": ["192.0.2.0/24"]}]
    relays = Relays(parse(Document("relays", f"r{number}", {"proxy_protocol": each})) for number, each in enumerate(bodies))
    assert [str(each) for each in relays.networks_of(Listener.EDGE).networks] == ["10.0.0.0/8", "192.0.2.0/24"]  # type: ignore[union-attr]
    assert relays.networks_of(Listener.PORTAL) is None
    assert not relays.bring_certificates

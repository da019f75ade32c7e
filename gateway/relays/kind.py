"""Relays as a kind of document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused, Fault, Kind, Reference
from gateway.edge.client_head import is_stripped
from gateway.policies.networks import NetworkSet, read_network
from gateway.relays.bodies import RelayBody
from gateway.relays.forms import USUAL_HEADERS
from gateway.relays.model import CertificateHeader, Preface, Relay
from gateway.relays.separation import shared_with_clients
from gateway.trust.model import TPP_STORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.configuration.model import Document
    from gateway.configuration.snapshot import Snapshot
    from gateway.relays.bodies import CertificateHeaderBody, PrefaceBody


def parse(document: Document) -> Relay:
    """Return what a document says; raises `DocumentRefused` with all that is wrong."""
    body = read_body(RelayBody, document)
    faults = list(_faults(body))
    if faults:
        raise DocumentRefused(faults)
    return Relay(
        name=document.name,
        description=body.description,
        certificate=_certificate(body.certificate) if body.certificate else None,
        preface=_preface(body.proxy_protocol) if body.proxy_protocol else None,
    )


def _certificate(body: CertificateHeaderBody) -> CertificateHeader:
    name = (body.header or USUAL_HEADERS[body.form]).lower().encode("ascii")
    return CertificateHeader(form=body.form, name=name, trust_store=body.trust_store)


def _preface(body: PrefaceBody) -> Preface:
    return Preface(listeners=frozenset(body.listeners), networks=NetworkSet(read_network(network) for network in body.networks))


def _faults(body: RelayBody) -> Iterator[Fault]:
    certificate = body.certificate
    if certificate is None:
        if body.proxy_protocol is None:
            yield Fault("certificate", "says nothing that is believed of the relay: name certificate, proxy_protocol, or both")
        return
    if certificate.trust_store == TPP_STORE:
        yield Fault(
            "certificate.trust_store", "every TPP could say that it is somebody else: make a store of its own for relays"
        )
    if not is_stripped(_certificate(certificate).name):
        problem = "is not stripped from other clients' requests: choose a name like X-Client-Cert-… or X-SSL-…"
        yield Fault("certificate.header", problem)


def _references(relay: Relay) -> Iterator[Reference]:
    if relay.certificate is not None:
        yield Reference("certificate.trust_store", "trust-stores", relay.certificate.trust_store)


def _conflicts(snapshot: Snapshot) -> Iterator[Fault]:
    """Yield stores that would let a client be a relay, or say in two ways where the certificate is."""
    relays = snapshot.of(RELAYS).values()
    yield from shared_with_clients(relays, snapshot)
    taken: dict[str, str] = {}
    for relay in relays:
        if relay.certificate is None:
            continue
        store = relay.certificate.trust_store
        if store in taken:
            problem = f"{store} is that of relays/{taken[store]}: one relay, one store"
            yield Fault("certificate.trust_store", problem, f"relays/{relay.name}")
        taken.setdefault(store, relay.name)


RELAYS: Final[Kind[Relay]] = Kind(
    name="relays",
    summary="Who stands in front of the gateway, and what is believed of them",
    parse=parse,
    schema=RelayBody.model_json_schema,
    references=_references,
    conflicts=_conflicts,
)

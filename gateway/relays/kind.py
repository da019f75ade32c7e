"""Relays as a kind of document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.configuration.bodies import read_body
from gateway.configuration.model import DocumentRefused, Fault, Kind, Reference
from gateway.edge.client_head import is_stripped
from gateway.policies.kind import DEPLOYMENTS
from gateway.policies.networks import NetworkSet, read_network
from gateway.relays.bodies import RelayBody
from gateway.relays.forms import USUAL_HEADERS
from gateway.relays.model import CertificateHeader, Preface, Relay
from gateway.trust.kind import TRUST_STORES
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
    """Yield stores that would let a relay be a client, or say in two ways where the certificate is."""
    used = {route.trust_store: each.name for each in snapshot.of(DEPLOYMENTS).values() for route in each.routes}
    taken: dict[str, str] = {}
    for relay in snapshot.of(RELAYS).values():
        if relay.certificate is None:
            continue
        store, place = relay.certificate.trust_store, f"relays/{relay.name}"
        if store in used:
            problem = f"{store} is whom deployments/{used[store]} trusts as clients, who could then pass for anybody"
            yield Fault("certificate.trust_store", f"{problem}: make a store of its own for relays", place)
        if store in taken:
            yield Fault("certificate.trust_store", f"{store} is that of relays/{taken[store]}: one relay, one store", place)
        taken.setdefault(store, relay.name)
        for other in sorted(_sharing(snapshot, store, {TPP_STORE, *used})):
            problem = f"{store} has a CA in common with {other}, whose clients could then pass for anybody"
            yield Fault("certificate.trust_store", problem, place)


def _sharing(snapshot: Snapshot, store: str, others: set[str]) -> Iterator[str]:
    stores = snapshot.of(TRUST_STORES)
    if store not in stores:
        return
    own = {each.sha256 for each in stores[store].certificates}
    for other in others - {store}:
        if other in stores and own & {each.sha256 for each in stores[other].certificates}:
            yield other


RELAYS: Final[Kind[Relay]] = Kind(
    name="relays",
    summary="Who stands in front of the gateway, and what is believed of them",
    parse=parse,
    schema=RelayBody.model_json_schema,
    references=_references,
    conflicts=_conflicts,
)

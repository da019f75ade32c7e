"""Keeps relays and clients apart: whoever holds a client's certificate could, as a relay, pass for anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.configuration.model import Fault
from gateway.policies.kind import DEPLOYMENTS
from gateway.trust.kind import TRUST_STORES
from gateway.trust.model import TPP_STORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.configuration.snapshot import Snapshot
    from gateway.relays.model import Relay

    # A CA, whichever of its certificates stands for it: by name and key.
    Authority = tuple[bytes, bytes]


def shared_with_clients(relays: Iterable[Relay], snapshot: Snapshot) -> Iterator[Fault]:
    """Yield each relay whose store is that of clients, or has a CA in common with one: with TPPs' too, delivered or not."""
    used = {route.trust_store: each.name for each in snapshot.of(DEPLOYMENTS).values() for route in each.routes}
    of_clients = {store: authorities_of(snapshot, store) for store in sorted({TPP_STORE, *used})}
    for relay in relays:
        if relay.certificate is None:
            continue
        store, place = relay.certificate.trust_store, f"relays/{relay.name}"
        if store in used:
            problem = f"{store} is whom deployments/{used[store]} trusts as clients, who could then pass for anybody"
            yield Fault("certificate.trust_store", f"{problem}: make a store of its own for relays", place)
        own = authorities_of(snapshot, store)
        for other, theirs in of_clients.items():
            shared = sorted(own[each] for each in own.keys() & theirs.keys()) if other != store else []
            if shared:
                problem = f"trust-stores/{store} has {', '.join(shared)} in common with trust-stores/{other}"
                yield Fault("certificate.trust_store", f"{problem}, whose clients could then pass for anybody", place)


def authorities_of(snapshot: Snapshot, store: str) -> Mapping[Authority, str]:
    """Return the CAs of a store, each with its name: those of its document, and those delivered beside it."""
    described = snapshot.of(TRUST_STORES).get(store)
    delivered = [x509.load_pem_x509_certificate(pem.encode("ascii")) for pem in snapshot.delivered.get(store, ())]
    certificates = [*delivered, *(each.certificate for each in (described.certificates if described else ()))]
    return {_authority(each): each.subject.rfc4514_string() for each in certificates}


def _authority(certificate: x509.Certificate) -> Authority:
    # Another certificate of the same CA, renewed or cross-signed, vouches for the same clients.
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return certificate.subject.public_bytes(), key

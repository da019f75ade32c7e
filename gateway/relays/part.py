"""The relays in force, and what one of them makes of its connection: that of the client whose certificate it brings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Leaf, Relaying
from gateway.policies.networks import NetworkSet
from gateway.relays.forms import MalformedValue, read_rfc9440_chain, read_value
from gateway.relays.kind import RELAYS
from gateway.relays.model import Form, Relay
from gateway.trust.model import TPP_STORE
from gateway.trust.verdict import Distrust, Distrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.admission.certificates import Judges
    from gateway.admission.request import Request
    from gateway.configuration.snapshot import Snapshot
    from gateway.policies.model import Listener
    from gateway.relays.model import CertificateHeader

_MOST_CLIENTS: Final = 1_000
_CHAIN: Final = b"-chain"

# Header fields of a request that a relay is believed, each with its name.
_Said: TypeAlias = "tuple[tuple[bytes, bytes], ...]"


@dataclass(slots=True)
class _Clients:
    """The clients of one relay's connection, by what it said of them."""

    relay: Relay
    connections: dict[_Said, Connection] = field(default_factory=dict)


class Relays:
    """A part of the live configuration. `bring_certificates`: whether there is any relay that brings clients' certificates."""

    bring_certificates = False

    def __init__(self, relays: Iterable[Relay] = ()) -> None:
        """Begin with none, or with these."""
        self._set(tuple(relays))

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Read a snapshot's relays; what is returned puts them in force."""
        relays = tuple(snapshot.of(RELAYS)[name] for name in sorted(snapshot.of(RELAYS)))
        return lambda: self._set(relays)

    def networks_of(self, listener: Listener) -> NetworkSet | None:
        """Return from where connections to a listener begin with a PROXY protocol header, None where none does."""
        return self._networks.get(listener)

    def seen_connection(self, request: Request, judges: Judges, now: float) -> Connection:
        """Return the connection as the checks shall see it: the client's own, where a relay has brought the request.

        From anybody else no header has any effect. Raises `Refusal`, and `NotLoaded` where a judge is missing.
        """
        connection = request.connection
        carrier = connection.relaying.carrier if connection.relaying else connection
        relay = self._relay_of(carrier, judges, now)
        if relay is None or relay.certificate is None:
            return carrier
        said = _said(request, relay.certificate)
        clients = carrier.memory.get(_Clients)
        if not isinstance(clients, _Clients) or clients.relay is not relay:
            clients = carrier.memory[_Clients] = _Clients(relay)
        known = clients.connections.get(said)
        if known is None:
            if len(clients.connections) >= _MOST_CLIENTS:
                clients.connections.clear()
            known = clients.connections[said] = _client(relay, relay.certificate, said, carrier)
        return known

    def _relay_of(self, carrier: Connection, judges: Judges, now: float) -> Relay | None:
        leaf = carrier.leaf
        if leaf is None:
            return None
        for relay, header in self._bringing:
            try:
                judges.judge_of(header.trust_store).require_trusted(leaf.der, digest=leaf.digest, now=now)
            except Distrusted:
                continue
            return None if _is_of_clients(leaf, judges, now) else relay
        return None

    def _set(self, relays: tuple[Relay, ...]) -> None:
        self._bringing = tuple((relay, relay.certificate) for relay in relays if relay.certificate is not None)
        self.bring_certificates = bool(self._bringing)
        self._networks: Mapping[Listener, NetworkSet] = _networks(relays)


def _is_of_clients(leaf: Leaf, judges: Judges, now: float) -> bool:
    """Whether an authority of TPPs has issued it, good or not: whoever is a client can't tell who other clients are."""
    try:
        judges.judge_of(TPP_STORE).require_trusted(leaf.der, digest=leaf.digest, now=now)
    except Distrusted as distrusted:
        return distrusted.distrust is not Distrust.UNTRUSTED
    return True


def _networks(relays: tuple[Relay, ...]) -> dict[Listener, NetworkSet]:
    networks: dict[Listener, NetworkSet] = {}
    for preface in (relay.preface for relay in relays if relay.preface is not None):
        for listener in preface.listeners:
            before = networks[listener].networks if listener in networks else ()
            networks[listener] = NetworkSet((*before, *preface.networks.networks))
    return networks


def _said(request: Request, header: CertificateHeader) -> _Said:
    """Return the relay's header fields, and of RFC 9440 those of the chain."""
    names = {header.name, header.name + _CHAIN} if header.form is Form.RFC9440 else {header.name}
    return tuple(claim for claim in request.claims if claim[0] in names)


def _client(relay: Relay, header: CertificateHeader, said: _Said, carrier: Connection) -> Connection:
    """Return the client's connection; raises `Refusal`."""
    return Connection(
        listener=carrier.listener,
        address=carrier.address,
        told_by=carrier.told_by,
        # The name in TLS is the relay's word to us, not the client's: it says nothing about Host.
        tls=replace(carrier.tls, server_name=None) if carrier.tls else None,
        leaf=_leaf(relay, header, said),
        relaying=Relaying(relay=relay.name, carrier=carrier),
    )


def _leaf(relay: Relay, header: CertificateHeader, said: _Said) -> Leaf | None:
    """Return the client's certificate, None where the relay brings none; raises `Refusal`."""
    shown = header.name.decode("ascii")
    leaves = [value.decode("latin-1") for name, value in said if name == header.name]
    chain = [value.decode("latin-1") for name, value in said if name != header.name]
    if len(leaves) > 1:
        raise Refusal("relay.several", f"{relay.name} sent {shown} {len(leaves)} times")
    if chain and not leaves:
        raise Refusal("relay.malformed", f"{relay.name}: {shown}-chain without {shown} (RFC 9440 §2.3)")
    try:
        # Only read: chains are built from the trust store, as for a certificate that TLS presents.
        read_rfc9440_chain(chain)
        return Leaf(read_value(header.form, leaves[0]).leaf) if leaves else None
    except MalformedValue as error:
        raise Refusal("relay.malformed", f"{relay.name}: {shown} {error}") from error

"""A request as the checks see it: what the connection proved, and what the head says."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psd2.client_cert_header import encode_client_cert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chassis.told.trace_context import TraceParent
    from gateway.dpop.proof import Proof
    from gateway.policies.model import Listener


class Leaf:
    """The certificate of a connection, whose key TLS has proved; what is made of it is made once a connection."""

    __slots__ = ("client_cert", "der", "digest", "sha256", "thumbprint")

    def __init__(self, der: bytes) -> None:
        """Hash `der` and write its RFC 9440 header value."""
        self.der = der
        self.digest = hashlib.sha256(der).digest()
        self.sha256 = self.digest.hex()
        self.thumbprint = base64.urlsafe_b64encode(self.digest).rstrip(b"=").decode("ascii")
        self.client_cert = encode_client_cert(der).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFacts:
    """What the handshake settled; `server_name` is the client's SNI, None where it sent none."""

    version: str
    cipher: str
    resumed: bool
    server_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaying:
    """That a relay has brought the client's certificate: which one, and over which connection of its own."""

    relay: str
    carrier: Connection


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """Who is at the other end, as far as the connection itself says.

    `address` is the client's; where a PROXY protocol header has told it, `told_by` is the address of whoever sent that.
    `relaying` tells that `leaf` came in a header, over a connection (the carrier) that shows the relay's own certificate.
    `memory` is for what is made once a connection and used with each of its requests, by the type that made it.
    """

    listener: Listener
    address: str
    tls: TlsFacts | None
    leaf: Leaf | None
    told_by: str | None = None
    relaying: Relaying | None = None
    memory: dict[type, object] = field(default_factory=dict, repr=False)


@dataclass(slots=True, kw_only=True)
class Request:
    """One request. `path` and `query` are as received, ASCII; `host` is the Host header's value.

    `claims` are header fields that nobody is believed but a relay: of them comes the `connection` that the checks see.
    `lines` are the header fields that go on, of which a proof of possession is read; read, it is kept in `proof`.
    `trace` is the sender's, `step` ours in it (`gateway.admission.tracing`).
    """

    connection: Connection
    id: str
    method: str
    path: str
    query: bytes
    host: str
    authorization: bytes | None = field(repr=False)
    tpp_request_id: bytes | None
    claims: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    lines: Sequence[bytes] = field(default=(), repr=False)
    proof: Proof | None = field(default=None, repr=False)
    trace: TraceParent | None = None
    step: TraceParent | None = None

    @property
    def asked(self) -> tuple[object, ...]:
        """All that a check may read of the request, its connection apart: two that ask the same are judged the same."""
        return self.method, self.path, self.query, self.host, self.authorization

"""The client's head, sorted out: what may go on to an internal server, what the edge acts on, and what ends here.

Nothing that could carry identity passes, in any spelling (docs/architecture.md §3.1); what two servers could read
differently is refused (RFC 9112 §11.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.edge.field_lines import is_length, read_field

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

# Hop-by-hop (RFC 9110 §7.6.1), framing (ours is added), and what could redirect or rename a request behind our back.
_DROPPED: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
        b"upgrade", b"http2-settings",
        b"forwarded", b"via", b"true-client-ip", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"x-remote-user",
        b"x-http-method", b"x-http-method-override", b"x-method-override", b"x-original-url", b"x-rewrite-url",
    }
)  # fmt: skip
_DROPPED_PREFIXES: Final = (
    b"client-cert", b"x-client-cert", b"x-forwarded", b"x-ssl", b"ssl-", b"x-tls", b"x-sandbox", b"x-arr-", b"x-amzn-mtls",
    b"x-envoy-", b"x-original-", b"cf-", b"x-qwac", b"x-certificate",
)  # fmt: skip
_READ: Final = frozenset(
    {
        b"host", b"authorization", b"content-type", b"x-request-id", b"content-length", b"transfer-encoding", b"expect",
        b"traceparent", b"tracestate",
    }
)  # fmt: skip
# Lists, though on several lines; two traceparents are a list, and so no traceparent (W3C Trace Context §3.2.1, §3.3.1).
_LISTS: Final = frozenset({b"traceparent", b"tracestate"})
# Of these one may stand in a request (RFC 9110 §5.3): a second one could be read by the next server instead.
_SINGLE: Final = _READ - {b"x-request-id", b"expect"} - _LISTS
# Of these any one says that the request is meant to be signed, with a seal (BG IG §12) or by a client's key, or its answer
# (RFC 9421 §4, §5).
_SIGNATURE, _SIGNATURE_INPUT = b"signature", b"signature-input"
_WITH_SEALS: Final = frozenset({b"digest", b"tpp-signature-certificate"})
_SIGNING: Final = _WITH_SEALS | {_SIGNATURE, _SIGNATURE_INPUT, b"accept-signature"}
REQUEST_ID: Final = b"x-request-id"
ALWAYS_NEW: Final = _SIGNING | _LISTS | {REQUEST_ID, b"dpop"}
ORDINARY_CONNECTION: Final = frozenset({b"keep-alive", b"close"})
_MOST_REMEMBERED_NAMES: Final = 2_000
_MOST_KNOWN_FIELDS: Final = 32
_MOST_KNOWN_BYTES: Final = 512


class _Fate(Enum):
    PASS = 1
    DROP = 2
    READ = 3
    SIGN = 4


# What becomes of a field, its name in lower case, its value, and its line as it may go on.
HeadField: TypeAlias = tuple[_Fate, bytes, bytes, bytes]


_PASS, _READ_HERE = _Fate.PASS, _Fate.READ  # an enumeration's members are looked up slowly


class AmbiguousHead(ValueError):
    """A head that two servers could read differently; the message says how, without quoting it."""


@dataclass(slots=True, kw_only=True)
class ClientHead:
    """The client's header lines, sorted out: `lines` go on as they are, the rest is for the edge to act on.

    `closes` tells that the client wants the connection to end; `signed` is the whole head as it came, where it bears a
    signature or asks for one, None else. `claims` are the fields that were dropped: what a relay says is among them.
    """

    lines: list[bytes]
    host: bytes | None
    authorization: bytes | None
    content_type: bytes | None
    request_id: bytes | None
    content_length: int
    is_chunked: bool
    awaits_continue: bool
    traceparent: bytes | None = None
    tracestate: bytes | None = None
    closes: bool = False
    signed: list[tuple[bytes, bytes]] | None = None
    claims: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def bears_message_signature(self) -> bool:
        """Whether there is a signature of RFC 9421, which says what it covers in a field of its own."""
        return self.signed is not None and any(name == _SIGNATURE_INPUT for name, _ in self.signed)

    @property
    def bears_seal(self) -> bool:
        """Whether there is a signature with a seal; the field Signature alone may be either's."""
        if self.signed is None:
            return False
        names = {name for name, _ in self.signed}
        return not names.isdisjoint(_WITH_SEALS) or (_SIGNATURE in names and _SIGNATURE_INPUT not in names)

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.is_chunked or self.content_length > 0

    def with_request_id(self, value: bytes | None) -> ClientHead:
        """Return the same head under another X-Request-ID."""
        return ClientHead(  # `dataclasses.replace` takes four times as long, and this is done for nearly each request
            lines=self.lines,
            host=self.host,
            authorization=self.authorization,
            content_type=self.content_type,
            request_id=value,
            content_length=self.content_length,
            is_chunked=self.is_chunked,
            awaits_continue=self.awaits_continue,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
            closes=self.closes,
            signed=self.signed,
            claims=self.claims,
        )


class HeadReader:
    """Sorts header lines by name, and remembers what it decided about each name."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._fates: dict[bytes, _Fate] = {}

    def read(self, headers: list[tuple[bytes, bytes]]) -> ClientHead:
        """Read fields, names in lower case; raises `AmbiguousHead`."""
        return _sorted_out([self._field(name, value) for name, value in headers])

    def read_lines(self, lines: list[bytes], known: dict[bytes, HeadField]) -> ClientHead:
        """Read field lines as they came, with what is `known` of lines of the connection; raises also `MalformedLine`."""
        return _sorted_out([known.get(line) or self._read_line(line, known) for line in lines])

    def _read_line(self, line: bytes, known: dict[bytes, HeadField]) -> HeadField:
        field = self._field(*read_field(line))
        if field[1] not in ALWAYS_NEW and len(line) <= _MOST_KNOWN_BYTES:
            if len(known) >= _MOST_KNOWN_FIELDS:
                known.clear()
            known[line] = field
        return field

    def _field(self, name: bytes, value: bytes) -> HeadField:
        return self._fates.get(name) or self._decide(name), name, value, b"%b: %b\r\n" % (name, value)

    def _decide(self, name: bytes) -> _Fate:
        fate = _fate_of(name)
        if len(self._fates) < _MOST_REMEMBERED_NAMES:
            self._fates[name] = fate
        return fate


def _sorted_out(fields: Sequence[HeadField]) -> ClientHead:
    lines: list[bytes] = []
    found: dict[bytes, bytes] = {}
    connection: list[bytes] = []
    claims: list[tuple[bytes, bytes]] = []
    is_signed = False
    for fate, name, value, line in fields:
        if fate is _PASS:
            lines.append(line)
        elif fate is _READ_HERE:
            if name in found and name in _SINGLE:
                raise AmbiguousHead(f"{name.decode('ascii')} is there twice")
            found[name] = b"%b,%b" % (found[name], value) if name in _LISTS and name in found else value
        elif fate is _Fate.SIGN:
            lines.append(line)
            is_signed = True
        elif name == b"connection":
            connection.append(value)
        else:
            claims.append((name, value))
    named = named_hop_by_hop(connection) if connection else frozenset[bytes]()
    head = _head(lines if named <= ORDINARY_CONNECTION else _without_named(lines, named), found)
    head.closes = b"close" in named
    if claims:
        head.claims = tuple(claims)
    head.signed = [(name, value) for _, name, value, _ in fields] if is_signed else None
    return head


def _head(lines: list[bytes], found: dict[bytes, bytes]) -> ClientHead:
    coding, length = found.get(b"transfer-encoding"), found.get(b"content-length")
    if coding is not None and coding.lower() != b"chunked":
        raise AmbiguousHead("the only transfer coding taken is chunked")
    if coding is not None and length is not None:
        raise AmbiguousHead("there are both Content-Length and Transfer-Encoding")
    if length is not None and not is_length(length):
        raise AmbiguousHead("the Content-Length is no number")
    return ClientHead(
        lines=lines,
        host=found.get(b"host"),
        authorization=found.get(b"authorization"),
        content_type=found.get(b"content-type"),
        request_id=found.get(b"x-request-id"),
        content_length=int(length or 0),
        is_chunked=coding is not None,
        awaits_continue=found.get(b"expect", b"").lower() == b"100-continue",
        traceparent=found.get(b"traceparent"),
        tracestate=found.get(b"tracestate"),
    )


def _fate_of(name: bytes) -> _Fate:
    if name in _READ:
        return _Fate.READ
    if name in _SIGNING:
        return _Fate.SIGN
    return _Fate.DROP if is_stripped(name) else _Fate.PASS


def is_stripped(name: bytes) -> bool:
    """Whether a field of this name, in lower case, goes on from nobody."""
    # WSGI servers can't tell Client_Cert from Client-Cert: no name with an underscore passes.
    return b"_" in name or name in _DROPPED or name.startswith(_DROPPED_PREFIXES)


def _without_named(lines: list[bytes], named: AbstractSet[bytes]) -> list[bytes]:
    """Leave out what the client itself calls hop-by-hop."""
    return [line for line in lines if line.partition(b":")[0] not in named]


def named_hop_by_hop(connection: list[bytes]) -> set[bytes]:
    """Return the field names that Connection fields list, in lower case (RFC 9110 §7.6.1)."""
    return {token.strip(b" \t").lower() for value in connection for token in value.split(b",")}

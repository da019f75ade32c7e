"""The head of a request on its way through: what the client may say to an internal server, and what only the edge may.

Nothing that could carry identity passes, in any spelling; what the edge has established is added instead
(docs/architecture.md §3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gateway.admission.roles import granted_roles
from psd2.roles import format_roles

if TYPE_CHECKING:
    from gateway.admission.admit import Admission
    from gateway.admission.request import Request

# Hop-by-hop (RFC 9110 §7.6.1), framing (ours is added), and what could redirect or rename a request behind our back.
_DROPPED: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
        b"transfer-encoding", b"content-length", b"upgrade", b"expect", b"http2-settings", b"host",
        b"forwarded", b"via", b"true-client-ip", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"x-remote-user",
        b"x-http-method", b"x-http-method-override", b"x-method-override", b"x-original-url", b"x-rewrite-url",
    }
)  # fmt: skip
_DROPPED_PREFIXES: Final = (
    b"client-cert", b"x-client-cert", b"x-forwarded", b"x-ssl", b"ssl-", b"x-tls", b"x-sandbox", b"x-arr-", b"x-amzn-mtls",
    b"x-envoy-", b"x-original-", b"cf-", b"x-qwac", b"x-certificate",
)  # fmt: skip
_REPLY_DROPPED: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"te", b"trailer", b"transfer-encoding",
        b"upgrade", b"server", b"x-sandbox-request",
    }
)  # fmt: skip
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_READ: Final = frozenset({b"host", b"authorization", b"x-request-id", b"content-length", b"transfer-encoding", b"connection"})
_ORDINARY_CONNECTION: Final = frozenset({b"keep-alive", b"close"})
_MOST_REMEMBERED_NAMES: Final = 2_000


class _Fate(Enum):
    PASS = 1
    DROP = 2
    READ = 3


@dataclass(slots=True, kw_only=True)
class ClientHead:
    """The client's header lines, sorted out: `lines` go on as they are, the rest is for the edge to act on."""

    lines: list[bytes]
    host: bytes
    authorization: tuple[bytes, ...]
    request_id: bytes | None
    content_length: int
    is_chunked: bool

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        return self.is_chunked or self.content_length > 0


class HeadReader:
    """Sorts header lines by name, and remembers what it decided about each name."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._fates: dict[bytes, _Fate] = {}

    def read(self, headers: list[tuple[bytes, bytes]]) -> ClientHead:
        """Read header lines; their names are in lower case, and framing is known to be consistent (`StrictParser`)."""
        lines: list[bytes] = []
        found: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            fate = self._fates.get(name) or self._decide(name)
            if fate is _Fate.PASS:
                lines.append(b"%b: %b\r\n" % (name, value))
            elif fate is _Fate.READ:
                found.setdefault(name, []).append(value)
        connection = found.get(b"connection", [])
        if connection and connection[0].lower() not in _ORDINARY_CONNECTION:
            lines = _without_named(lines, connection)
        hosts = found.get(b"host", [])
        return ClientHead(
            lines=lines,
            host=hosts[0] if len(hosts) == 1 else b"",
            authorization=tuple(found.get(b"authorization", ())),
            request_id=found.get(b"x-request-id", [None])[0],
            content_length=int(found.get(b"content-length", [b"0"])[0]),
            is_chunked=b"transfer-encoding" in found,
        )

    def _decide(self, name: bytes) -> _Fate:
        fate = _fate_of(name)
        if len(self._fates) < _MOST_REMEMBERED_NAMES:
            self._fates[name] = fate
        return fate


def _fate_of(name: bytes) -> _Fate:
    if name in _READ:
        return _Fate.READ
    # WSGI servers can't tell Client_Cert from Client-Cert: no name with an underscore passes.
    if b"_" in name or name in _DROPPED or name.startswith(_DROPPED_PREFIXES):
        return _Fate.DROP
    return _Fate.PASS


def _without_named(lines: list[bytes], connection: list[bytes]) -> list[bytes]:
    """Leave out what the client itself calls hop-by-hop."""
    named = {token.strip(b" \t").lower() for value in connection for token in value.split(b",")}
    return [line for line in lines if line.partition(b":")[0] not in named]


def upstream_head(request: Request, head: ClientHead, admission: Admission) -> bytes:
    """Return the head that the internal server gets."""
    target = request.path.encode("ascii") + (b"?" + request.query if request.query else b"")
    parts = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (request.method.encode("ascii"), target, head.host), *head.lines]
    if head.request_id is not None:
        parts.append(b"x-request-id: %b\r\n" % head.request_id)
    if admission.token is None:
        # Where the edge has judged a token, nobody behind it needs the token itself.
        parts += [b"authorization: %b\r\n" % value for value in head.authorization]
    if head.is_chunked:
        parts.append(b"transfer-encoding: chunked\r\n")
    elif head.content_length or request.method in _METHODS_WITH_BODY:
        parts.append(b"content-length: %d\r\n" % head.content_length)
    parts.append(_identity(request, admission))
    parts.append(b"\r\n")
    return b"".join(parts)


def _identity(request: Request, admission: Admission) -> bytes:
    """Return what the edge has established, as header lines."""
    connection = request.connection
    fields = [
        ("x-sandbox-listener", connection.listener.value),
        ("x-sandbox-request", request.id),
        ("x-sandbox-address", connection.address),
    ]
    if admission.tpp is not None and admission.certificate is not None:
        fields += [
            ("x-sandbox-tpp", admission.tpp.authorisation_number),
            ("x-sandbox-roles", format_roles(granted_roles(admission.certificate, admission.tpp))),
        ]
    token = admission.token
    if token is not None:
        fields += [("x-sandbox-client", token.client_id), ("x-sandbox-scope", token.scope)]
        if token.subject is not None:
            fields.append(("x-sandbox-subject", token.subject))
    lines = "".join([f"{name}: {_plain(value)}\r\n" for name, value in fields]).encode("ascii")
    if connection.leaf is not None and admission.certificate is not None:
        lines += b"client-cert: " + connection.leaf.client_cert + b"\r\n"
    return lines


def _plain(value: str) -> str:
    """Return a value that cannot end its line, whatever somebody managed to register."""
    return value if value.isascii() and value.isprintable() else quote(value, safe="")


def client_headers(headers: list[tuple[bytes, bytes]], request: Request) -> list[tuple[bytes, bytes]]:
    """Return the reply's header lines for the client: nothing hop-by-hop, plus the request's id."""
    passed = [(name, value) for name, value in headers if name not in _REPLY_DROPPED]
    connection = [value for name, value in headers if name == b"connection"]
    if connection and connection[0].lower() not in _ORDINARY_CONNECTION:
        named = {token.strip(b" \t").lower() for value in connection for token in value.split(b",")}
        passed = [(name, value) for name, value in passed if name not in named]
    passed.append((b"server", b"gateway"))
    passed.append((b"x-sandbox-request", request.id.encode("ascii")))
    return passed

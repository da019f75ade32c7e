"""A request's head as HTTP/2 carries it, turned into what the core reads (RFC 9113 §8.2, §8.3); as strict as HTTP/1.1's.

Not left to the `h2` library, which ends the whole connection where one request is malformed: its sender gets an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.edge.client_head import AmbiguousHead
from gateway.edge.http1.parser import OversizedHead, RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.edge.client_head import ClientHead, HeadReader

    Fields = Iterable[tuple[bytes, bytes]]

_METHOD: Final = re.compile(rb"[A-Z]{1,20}")
_TARGET: Final = re.compile(rb"/[!-~]*+")
# RFC 9113 §8.2.1, and of values what RFC 9110 §5.5 allows: no controls.
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]++")
_VALUE: Final = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
_PSEUDO: Final = frozenset({b":method", b":scheme", b":authority", b":path"})
# They speak of one connection, which has other means for it (§8.2.2).
_FORBIDDEN: Final = frozenset({b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
_ENTRY_BYTES: Final = 32  # what SETTINGS_MAX_HEADER_LIST_SIZE counts for each field besides its octets (§6.5.2)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request's method and target, and its head sorted out."""

    method: str
    path: bytes
    query: bytes
    head: ClientHead


def read_head(fields: Fields, heads: HeadReader, *, max_bytes: int, max_count: int, has_ended: bool) -> RequestHead:
    """Read the fields of a request, which `has_ended` where no body follows; raises `RefusedRequest`."""
    fields = [(bytes(name), bytes(value)) for name, value in fields]
    if len(fields) > max_count + len(_PSEUDO):
        raise OversizedHead("too many headers")
    if sum(len(name) + len(value) + _ENTRY_BYTES for name, value in fields) > max_bytes:
        raise OversizedHead(f"the head has more than {max_bytes} bytes, each header counted {_ENTRY_BYTES} bytes larger")
    pseudo, ordinary = _split(fields)
    method, target = _require_request_line(pseudo)
    try:
        head = heads.read(_with_host(pseudo, ordinary))
    except AmbiguousHead as error:
        raise RefusedRequest(str(error)) from error
    if head.host is None:
        raise RefusedRequest("there is neither :authority nor Host")
    _frame(head, has_length=any(name == b"content-length" for name, _ in ordinary), has_ended=has_ended)
    path, _, query = target.partition(b"?")
    return RequestHead(method.decode("ascii"), path, query, head)


def _split(fields: Fields) -> tuple[dict[bytes, bytes], list[tuple[bytes, bytes]]]:
    """Return pseudo-headers and the others, which come after them."""
    pseudo: dict[bytes, bytes] = {}
    ordinary: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        if not _VALUE.fullmatch(value):
            raise RefusedRequest("a header's value has a character that must not be there, or white space at an end")
        if name in _PSEUDO:
            if name in pseudo or ordinary:
                raise RefusedRequest("a pseudo-header is there twice, or behind others")
            pseudo[name] = value
        else:
            _require_ordinary(name, value)
            ordinary.append((name, value))
    return pseudo, ordinary


def _require_ordinary(name: bytes, value: bytes) -> None:
    if not _NAME.fullmatch(name):
        raise RefusedRequest("a header's name is none in lower case, or an unknown pseudo-header")
    if name in _FORBIDDEN or (name == b"te" and value.lower() != b"trailers"):
        raise RefusedRequest("a header is for HTTP/1.1 alone")


def _require_request_line(pseudo: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    method, target = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
    if not _METHOD.fullmatch(method):
        raise RefusedRequest("there is no :method, or one that is none")
    if method == b"CONNECT":
        raise RefusedRequest("CONNECT is no method of this server")
    if pseudo.get(b":scheme") != b"https":
        raise RefusedRequest("the :scheme is not https")
    if not _TARGET.fullmatch(target):
        raise RefusedRequest("there is no :path, or one that is no absolute path")
    return method, target


def _with_host(pseudo: dict[bytes, bytes], ordinary: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the fields as HTTP/1.1 has them: Host for :authority (§8.3.1), one Cookie (§8.2.3)."""
    authority = pseudo.get(b":authority")
    if authority is not None:
        if any(value != authority for name, value in ordinary if name == b"host"):
            raise RefusedRequest(":authority and Host are different names")
        ordinary = [(b"host", authority), *(field for field in ordinary if field[0] != b"host")]
    cookies = [value for name, value in ordinary if name == b"cookie"]
    if len(cookies) > 1:
        ordinary = [*(field for field in ordinary if field[0] != b"cookie"), (b"cookie", b"; ".join(cookies))]
    return ordinary


def _frame(head: ClientHead, *, has_length: bool, has_ended: bool) -> None:
    """Note how the body ends: with the stream, where no length was given; then it goes on in chunks."""
    if has_ended and head.content_length:
        raise RefusedRequest("a Content-Length, and no body")
    head.is_chunked = not has_ended and not has_length

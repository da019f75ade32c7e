"""What goes over the wire, as plain values: requests, responses, and the one thing that sends them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request. Headers and body stay out of the repr: they carry tokens and codes."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One response to `request`; header names are lower case."""

    request: HttpRequest
    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """Sends a request as one party, with that party's certificate or with none."""

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send it and return the answer, whatever its status; raises `TransportFailed` when there is none."""


def json_request(method: str, url: str, content: object, headers: Mapping[str, str] = _NO_HEADERS) -> HttpRequest:
    """Return a request with a JSON body."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return HttpRequest(method=method, url=url, headers={**headers, "Content-Type": "application/json"}, body=body)


def form_request(url: str, fields: Mapping[str, str], headers: Mapping[str, str] = _NO_HEADERS) -> HttpRequest:
    """Return a POST with a form body, as every OAuth endpoint takes it."""
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return HttpRequest(method="POST", url=url, headers=form, body=urlencode(fields).encode())

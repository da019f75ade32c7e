"""Writes down what went over the wire, so that somebody else can judge it; tokens and codes are left out.

Of the request, only what an answer must be compared with is kept: method, address, X-Request-ID.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tpp_client.wire import HttpRequest, HttpResponse, Transport

_COMPARED = "x-request-id"


@dataclass(frozen=True, slots=True)
class TranscribedTransport:
    """A transport that appends each exchange to a file, a JSON object on a line."""

    inner: Transport
    file: Path

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send, write down, return."""
        response = self.inner.send(request)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_record(response)) + "\n")
        return response


def _record(response: HttpResponse) -> dict[str, object]:
    request = response.request
    asked = {name.lower(): value for name, value in request.headers.items() if name.lower() == _COMPARED}
    return {
        "method": request.method,
        "url": request.url.partition("?")[0],
        "asked": asked,
        "status": response.status,
        "headers": dict(response.headers),
        "body": base64.b64encode(response.body).decode("ascii"),
    }

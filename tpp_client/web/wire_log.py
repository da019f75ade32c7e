"""A transport that keeps what it has sent, to be shown: addresses, statuses and times, secrets shortened."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tpp_client.errors import TransportFailed
from tpp_client.readable import exchange_of, readable_url, shortened
from tpp_client.web.visits.model import WireCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from tpp_client.wire import HttpRequest, HttpResponse, Transport

_LONGEST_TEXT = 600
_MOST_CALLS = 100


@dataclass(frozen=True, slots=True)
class LoggedTransport:
    """Sends by another transport and writes each call into `calls`."""

    inner: Transport
    calls: list[WireCall] = field(default_factory=list)
    monotonic: Callable[[], float] = time.monotonic

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send, note, return; raises `TransportFailed` as the other does, and notes that too."""
        began = self.monotonic()
        try:
            response = self.inner.send(request)
        except TransportFailed as error:
            self._note(_unanswered(request, error, self._milliseconds(began)))
            raise
        self._note(_answered(response, self._milliseconds(began)))
        return response

    def _milliseconds(self, began: float) -> int:
        return round((self.monotonic() - began) * 1000)

    def _note(self, call: WireCall) -> None:
        if len(self.calls) < _MOST_CALLS:
            self.calls.append(call)


def _answered(response: HttpResponse, milliseconds: int) -> WireCall:
    exchange = exchange_of(response)
    request = response.request
    return WireCall(
        method=exchange.method,
        url=exchange.url[:_LONGEST_TEXT],
        status=exchange.status,
        milliseconds=milliseconds,
        request_id=request.headers.get("X-Request-ID"),
        gateway_id=response.headers.get("x-sandbox-request"),
        token=_token(request),
        asked=_cut(exchange.asked | exchange.signed),
        answered=_cut(exchange.answered),
    )


def _unanswered(request: HttpRequest, error: TransportFailed, milliseconds: int) -> WireCall:
    return WireCall(
        method=request.method,
        url=readable_url(request.url)[:_LONGEST_TEXT],
        status=None,
        milliseconds=milliseconds,
        request_id=request.headers.get("X-Request-ID"),
        token=_token(request),
        failure=str(error)[:_LONGEST_TEXT],
    )


def _token(request: HttpRequest) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return f"{scheme} {shortened(token)}" if token else None


def _cut(fields: dict[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_TEXT] for name, value in fields.items()}

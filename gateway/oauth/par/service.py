"""Takes pushed authorization requests in, and gives them to the browser that brings the reference (RFC 9126 §2, §4)."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from gateway.oauth.model import secret_sha256
from gateway.oauth.par.model import REQUEST_URI_PREFIX, Claim, PushedRequest, PushedRequestAnswered
from gateway.oauth.par.refusals import (
    answered_request_uri,
    expired_request_uri,
    foreign_request_uri,
    other_browsers_request_uri,
    request_uri_being_opened,
    strange_request_uri,
    unknown_request_uri,
)
from gateway.oauth.parameters import Parameters
from gateway.oauth.refusals import OAuthRefused, PageRefused
from psd2.ids import new_secret

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.register.model import Client
    from gateway.register.service import Register
    from psd2.clock import Clock

SECRET_BYTES: Final = 32
# Longer than the bank may take; a process that was killed while it began leaves the reference to whoever comes after that.
_BEGINNING: Final = timedelta(seconds=60)
_PATIENCE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
_REQUEST_URI = re.compile(re.escape(REQUEST_URI_PREFIX) + r"([A-Za-z0-9_-]{43})")
# They say who is asking, and are no part of what is asked for.
_NOT_KEPT: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type", "request"})


class PushedRequestStore(Protocol):
    """Where pushed requests are kept."""

    def add(self, pushed: PushedRequest) -> None:
        """Keep a pushed request."""

    def find(self, sha256: str) -> PushedRequest | None:
        """Return the pushed request, used or not, or None."""

    def is_claimed(self, claim: Claim, *, stale: datetime) -> bool:
        """Give a browser the right to begin; False where one has it, unless it was taken before `stale` and came to nothing."""

    def release(self, claim: Claim) -> None:
        """Let anybody begin, as if nobody had come."""

    def answer(self, sha256: str, *, by: str) -> None:
        """Let one authorization request answer it, as often as that likes; raises `PushedRequestAnswered` for any other."""


class PushedRequests:
    """Pushed requests, from the client to the browser."""

    def __init__(self, *, store: PushedRequestStore, register: Register, clock: Clock, lifetime: timedelta) -> None:
        self._store = store
        self._register = register
        self._clock = clock
        self._lifetime = lifetime

    def push(self, parameters: Parameters, client: Client) -> dict[str, object]:
        """Keep a request that was found good; returns the answer of RFC 9126 §2.2."""
        secret = new_secret(SECRET_BYTES)
        kept = {name: value for name, value in parameters.values.items() if name not in _NOT_KEPT}
        pushed = PushedRequest(
            sha256=secret_sha256(secret),
            client_id=client.client_id,
            parameters=kept | {"client_id": client.client_id},
            expires_at=self._clock.now() + self._lifetime,
        )
        self._store.add(pushed)
        return {"request_uri": f"{REQUEST_URI_PREFIX}{secret}", "expires_in": int(self._lifetime.total_seconds())}

    def resolved(self, parameters: Parameters) -> tuple[Parameters, str]:
        """Return what was pushed under `request_uri`, and its hash; raises `PageRefused`.

        Whatever stands beside `client_id` and `request_uri` is left alone: it came through the browser (RFC 9101 §6.3).
        """
        try:
            parameters.require_single({"client_id", "request_uri"})
            client_id, request_uri = parameters.require("client_id"), parameters.require("request_uri")
        except OAuthRefused as refused:
            raise PageRefused(refused.refusal) from refused
        reference = _REQUEST_URI.fullmatch(request_uri)
        if reference is None:
            raise strange_request_uri()
        pushed = self._usable(self._store.find(secret_sha256(reference.group(1))), client_id)
        return Parameters(MappingProxyType(dict(pushed.parameters))), pushed.sha256

    def claim(self, sha256: str, *, browser: str) -> Claim | str:
        """Return the right to begin what was pushed; for the browser that has begun it already, the authorization request.

        Raises `PageRefused` for any other browser. A page that is loaded twice at a moment waits for the first load.
        """
        browser_sha256, until = secret_sha256(browser), time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            now = self._clock.now()
            claim = Claim(sha256=sha256, browser_sha256=browser_sha256, at=now)
            if self._store.is_claimed(claim, stale=now - _BEGINNING):
                return claim
            begun_as = _begun_as(self._store.find(sha256), browser_sha256)
            if begun_as is not None:
                return begun_as
            time.sleep(_LOOK_SECONDS)
        raise request_uri_being_opened()

    def release(self, claim: Claim) -> None:
        """Let anybody begin: nothing has come of this."""
        self._store.release(claim)

    def answer(self, sha256: str, *, by: str) -> None:
        """Let one authorization request, and no other, answer what was pushed; raises `PageRefused`."""
        try:
            self._store.answer(sha256, by=by)
        except PushedRequestAnswered as error:
            raise answered_request_uri() from error

    def _usable(self, pushed: PushedRequest | None, client_id: str) -> PushedRequest:
        if pushed is None:
            raise unknown_request_uri()
        if client_id != pushed.client_id and not self._is_name_of(client_id, pushed.client_id):
            raise foreign_request_uri()
        if pushed.answered_by is not None:
            raise answered_request_uri()
        if pushed.expires_at <= self._clock.now():
            raise expired_request_uri()
        return pushed

    def _is_name_of(self, name: str, client_id: str) -> bool:
        found = self._register.registered(name)
        return found is not None and found.client.client_id == client_id


def _begun_as(pushed: PushedRequest | None, browser_sha256: str) -> str | None:
    """Return what this browser has begun, None while it has begun nothing yet; raises `PageRefused` for another one."""
    if pushed is None:
        raise unknown_request_uri()
    if pushed.browser_sha256 not in {None, browser_sha256}:
        raise other_browsers_request_uri()
    return pushed.begun_as

"""A client's keys: those it registered as `jwks`, or those that its `jwks_uri` gives (RFC 7591 §2)."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from chassis.logs import get_logger
from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.jws import verified_jws
from gateway.oauth.jose.key_fetching import DEADLINE_SECONDS, KeysNotFetched
from gateway.oauth.jose.key_set import read_key_set
from gateway.oauth.jose.refusals import JwsRefused, KeySetRefused, UnknownKey
from gateway.oauth.lanes import LaneFull

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from gateway.oauth.jose.claims import Claims
    from gateway.oauth.jose.key_set import KeySet
    from gateway.oauth.jose.published_keys import PublishedKeys
    from gateway.oauth.lanes import Lanes
    from gateway.register.model import SigningAlg
    from psd2.clock import Clock

_LOOK_SECONDS: Final = 0.05


class KeyHolder(Protocol):
    """A client, as far as its keys go."""

    @property
    def authorisation_number(self) -> str:
        """Whose client it is."""

    @property
    def jwks(self) -> Mapping[str, Any] | None:
        """The keys it registered."""

    @property
    def jwks_uri(self) -> str | None:
        """Where it publishes its keys."""


class PublishedKeyStore(Protocol):
    """Where published keys are kept for all workers."""

    def read(self, url: str) -> PublishedKeys | None:
        """Return what is known of an address."""

    def is_claimed(self, url: str, now: datetime) -> bool:
        """Take on asking an address, and tell whether nobody has done so just now."""

    def keep(self, url: str, jwks: str, at: datetime) -> None:
        """Put a set in the place of an older one."""

    def note_failure(self, url: str, failure: str) -> None:
        """Note why nothing came."""


class KeySource(Protocol):
    """Fetches sets of keys."""

    def fetch(self, url: str, *, party: str) -> str:
        """Return the JWK Set at an address that a TPP has named; raises `KeysNotFetched`."""


class ClientKeys:
    """The keys of all clients."""

    def __init__(self, *, store: PublishedKeyStore, source: KeySource, lanes: Lanes, clock: Clock) -> None:
        """Let so many of the server's threads wait for clients' servers as `lanes` has; the rest goes on serving."""
        self._store = store
        self._source = source
        self._lanes = lanes
        self._clock = clock

    def of(self, client: KeyHolder) -> KeySet:
        """Return a client's keys; raises `JwsRefused` where there are none."""
        try:
            return read_key_set(self.document(client))
        except KeySetRefused as error:
            raise _no_keys(f"the client's keys can't be used: {error}", "register others") from error

    def document(self, client: KeyHolder) -> str:
        """Return a client's JWK Set as it was registered or published; raises `JwsRefused` where there is none."""
        if client.jwks_uri is None and client.jwks is None:
            raise _no_keys("the client has no keys", "register jwks or jwks_uri")
        if client.jwks_uri is None:
            return json.dumps(client.jwks)
        return self._published(client.jwks_uri, client.authorisation_number)

    def verified(
        self,
        compact: str,
        client: KeyHolder,
        *,
        algs: Collection[SigningAlg] = SUPPORTED,
        typ: str | None = None,
    ) -> Claims:
        """Return what a message of the client says; raises `JwsRefused`. A key that is not known yet is looked for anew."""
        keys = self.of(client)
        try:
            return verified_jws(compact, keys, algs=algs, typ=typ)
        except UnknownKey:
            newer = self.newer(client)
            if newer is None:
                raise
        return verified_jws(compact, newer, algs=algs, typ=typ)

    def newer(self, client: KeyHolder) -> KeySet | None:
        """Return keys that its address was just asked for, None where it can't be; raises `JwsRefused`."""
        return self.of(client) if self.is_asked_anew(client) else None

    def is_asked_anew(self, client: KeyHolder) -> bool:
        """Ask the client's address, and tell whether it has answered; no when that was just done. Raises `JwsRefused`."""
        return client.jwks_uri is not None and self._is_fetched_anew(client.jwks_uri, client.authorisation_number)

    def _published(self, url: str, party: str) -> str:
        now = self._clock.now()
        known = self._store.read(url)
        if known is not None and known.is_usable(now):
            if not known.is_fresh(now):
                with suppress(JwsRefused):  # what is known serves until then
                    self._is_fetched_anew(url, party)
        elif not self._is_fetched_anew(url, party):
            self._wait_for_another(url, party)
        known = self._store.read(url)
        if known is None or known.jwks is None or not known.is_usable(now):
            failure = known.failure if known is not None else None
            raise _no_keys(failure or "jwks_uri has not answered yet", "send the request again in half a minute")
        return known.jwks

    def _is_fetched_anew(self, url: str, party: str) -> bool:
        now = self._clock.now()
        with self._a_wait(party):
            if not self._store.is_claimed(url, now):
                return False
            try:
                self._store.keep(url, self._source.fetch(url, party=party), now)
            except KeysNotFetched as error:
                get_logger().warning("jwks.not_fetched", url=url, error=error.detail)
                self._store.note_failure(url, str(error))
                return False
        return True

    def _wait_for_another(self, url: str, party: str) -> None:
        """Wait until a set or a failure is there; whoever fetches has a deadline of its own."""
        with self._a_wait(party):
            until = time.monotonic() + DEADLINE_SECONDS
            while time.monotonic() < until:
                known = self._store.read(url)
                if known is not None and (known.failure is not None or known.is_usable(self._clock.now())):
                    return
                time.sleep(_LOOK_SECONDS)

    @contextmanager
    def _a_wait(self, party: str) -> Iterator[None]:
        try:
            with self._lanes.entered(party):
                yield
        except LaneFull as full:
            text = (
                "other requests of this TPP wait for its jwks_uri"
                if full.is_own
                else "too many clients' keys are being fetched"
            )
            raise _no_keys(text, "send the request again in a few seconds") from full


def _no_keys(text: str, hint: str) -> JwsRefused:
    return JwsRefused("jose.keys", text, hint=hint, clause="RFC 7591 §2")

"""Follows the certificates that clients publish at their `jwks_uri`: the edge lets in what stands there (RFC 8705 §2.2)."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.oauth.jose.refusals import JwsRefused
from gateway.register.key_certificates import self_signed_certificates

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from gateway.oauth.jose.client_keys import ClientKeys, PublishedKeyStore
    from gateway.register.model import Client
    from psd2.clock import Clock

LOOK: Final = timedelta(seconds=5)
# Anybody can have a look begin early, so that it is no more: so often, at so many addresses, and at each of them no sooner
# than for an unknown kid (`gateway.oauth.jose.published_keys`).
EARLY_LOOK_PAUSE: Final = timedelta(seconds=1)
MOST_EARLY: Final = 20
_AT_ONCE: Final = 4


class CertificateStore(Protocol):
    """Where the register keeps which certificates are whose."""

    def publishing_clients(self) -> Sequence[Client]:
        """Return the clients that authenticate by the certificates at their `jwks_uri`."""

    def follow_certificates(self, client: Client, sha256s: Collection[str], at: datetime) -> frozenset[str]:
        """Let a client's certificates be those that it publishes; returns those that other TPPs' clients have."""


class PublishedCertificates:
    """Sees to it, in a thread of its own."""

    def __init__(self, *, store: CertificateStore, keys: ClientKeys, published: PublishedKeyStore, clock: Clock) -> None:
        """Have `keys` ask for what is not fresh any more, and read what came from `published`."""
        self._store = store
        self._keys = keys
        self._published = published
        self._clock = clock
        self._wanted_early = threading.Event()

    def look_early(self) -> None:
        """Have the thread look now: a certificate came that may have been published a moment ago."""
        self._wanted_early.set()

    def start(self) -> None:
        """Follow for as long as the process lives."""
        threading.Thread(target=self._run, name="client-certificates", daemon=True).start()

    def follow(self, *, is_early: bool = False) -> None:
        """Look once at what every such client publishes; `is_early`: and ask those anew that were asked longest ago."""
        clients = self._store.publishing_clients()
        anew = self._longest_unasked(clients) if is_early else frozenset()
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:  # whose server is slow must not hold up the others
            list(pool.map(lambda client: self._follow_one(client, is_anew=client.client_id in anew), clients))

    def _longest_unasked(self, clients: Sequence[Client]) -> frozenset[str]:
        known = {client.client_id: self._published.read(client.jwks_uri or "") for client in clients}
        asked = sorted((each.tried_at, client_id) for client_id, each in known.items() if each is not None)
        return frozenset(client_id for _, client_id in asked[:MOST_EARLY])

    def _follow_one(self, client: Client, *, is_anew: bool) -> None:
        try:
            if is_anew:
                with suppress(JwsRefused):
                    self._keys.is_asked_anew(client)
            taken = self._store.follow_certificates(client, self._certificates(client), self._clock.now())
        except Exception as error:  # noqa: BLE001 - of this client alone; the next turn tries again
            get_logger().error("client.certificates_unread", client=client.client_id, error=repr(error))
            return
        if taken:
            get_logger().warning("client.certificates_taken", client=client.client_id, sha256=sorted(taken))

    def _certificates(self, client: Client) -> frozenset[str]:
        """Return the certificates that stand at the client's address; none once that has given nothing for too long."""
        with suppress(JwsRefused):  # what is known serves until then
            self._keys.document(client)
        known = self._published.read(client.jwks_uri or "")
        if known is None or known.jwks is None or not known.is_usable(self._clock.now()):
            return frozenset()
        return frozenset(sha256 for _place, sha256 in self_signed_certificates(json.loads(known.jwks)))

    def turn(self) -> timedelta:
        """Look once, at its time or as soon as that is wanted; returns how long nobody can have a look begin now.

        Strangers have all clients looked at twice as often by it, and no more.
        """
        is_early = self._wanted_early.wait((LOOK - EARLY_LOOK_PAUSE).total_seconds())
        self._wanted_early.clear()
        try:
            self.follow(is_early=is_early)
        except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead thread would never
            get_logger().error("client.certificates_unread", error=repr(error))
        return LOOK if is_early else EARLY_LOOK_PAUSE

    def _run(self) -> None:
        pause, rest = threading.Event(), EARLY_LOOK_PAUSE
        while not pause.wait(rest.total_seconds()):
            rest = self.turn()

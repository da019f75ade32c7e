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

    def start(self) -> None:
        """Follow for as long as the process lives."""
        threading.Thread(target=self._run, name="client-certificates", daemon=True).start()

    def follow(self) -> None:
        """Look once at what every such client publishes."""
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:  # whose server is slow must not hold up the others
            list(pool.map(self._follow_one, self._store.publishing_clients()))

    def _follow_one(self, client: Client) -> None:
        try:
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

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK.total_seconds()):
            try:
                self.follow()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead thread would never
                get_logger().error("client.certificates_unread", error=repr(error))

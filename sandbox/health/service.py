"""Looks the platform over for the operator. Whatever can't be asked is told as a complaint, never raised."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, Protocol

from cryptography import x509

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused
from sandbox.health.model import DeliveryState, FileCertificate, ListState, PlatformHealth, ServerHealth
from sandbox.platform.state import HomeNotUsable, RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from chassis.home import Home
    from chassis.peers import PeerAnswer
    from psd2.clock import Clock
    from sandbox.platform.state import PlatformState
    from sandbox.trust.service import TrustDelivery

_SECONDS: Final = 2.0
_OK: Final = 200
_FOLDERS: Final = ("ca", "servers", "internal")
_AUTHORITIES: Final = ("root", "tpp-issuing", "server-issuing")
_MOST_CHARACTERS: Final = 300


class HealthPeer(Protocol):
    """A server that answers to this one."""

    def get(self, path: str, *, timeout: float) -> PeerAnswer:
        """Send GET; raises `PeerUnavailable`."""


class Neighbours(Protocol):
    """The gateway, which asks the servers that answer to it alone."""

    def servers(self) -> list[dict[str, Any]]:
        """Return their health; raises `PeerUnavailable` or `PeerRefused`."""


class Lists(Protocol):
    """The certificate authority's revocation lists."""

    def crl(self, ca_name: str) -> bytes:
        """Return the list in force (DER)."""


class Health:
    """The state of the platform, as far as it can be seen from here."""

    def __init__(
        self,
        *,
        home: Home,
        clock: Clock,
        peers: Mapping[str, HealthPeer],
        neighbours: Neighbours,
        lists: Lists,
        trust: TrustDelivery,
    ) -> None:
        """Ask these."""
        self._home = home
        self._clock = clock
        self._peers = peers
        self._neighbours = neighbours
        self._lists = lists
        self._trust = trust

    def look(self) -> PlatformHealth:
        """Return how everything is now; takes as long as the slowest answer, and a few seconds at most."""
        running = self._running()
        known = {server.name: server for server in running.servers} if running else {}
        with ThreadPoolExecutor(max_workers=len(self._peers) + 1) as pool:
            neighbours = pool.submit(self._ask_neighbours)
            asked = [*pool.map(self._ask, self._peers), *neighbours.result()]
        # The page came by the edge: that it is shown is the edge's answer.
        servers = [ServerHealth(name="edge", complaint=None), *asked]
        return PlatformHealth(
            version=_version(),
            started_at=running.started_at if running else None,
            servers=[_with_process(server, known) for server in servers],
            certificates=self._certificates(),
            lists=[self._list(authority) for authority in _AUTHORITIES],
            deliveries=[DeliveryState(what=what, is_taken=taken) for what, taken in self._trust.state()],
        )

    def _running(self) -> PlatformState | None:
        try:
            return RunFolder(self._home).running()
        except HomeNotUsable:
            return None

    def _ask(self, name: str) -> ServerHealth:
        began = time.monotonic()
        try:
            answer = self._peers[name].get("/health", timeout=_SECONDS)
            complaint = None if answer.status_code == _OK else f"/health answered {answer.status_code}"
        except PeerUnavailable as error:
            complaint = error.detail[:_MOST_CHARACTERS]
        return ServerHealth(name=name, complaint=complaint, milliseconds=round((time.monotonic() - began) * 1000, 1))

    def _ask_neighbours(self) -> list[ServerHealth]:
        try:
            servers = self._neighbours.servers()
        except (PeerUnavailable, PeerRefused) as error:
            return [ServerHealth(name="authorization, demo", complaint=f"not known: {str(error)[:_MOST_CHARACTERS]}")]
        return [
            ServerHealth(name=each["name"], complaint=each["complaint"], milliseconds=each["milliseconds"]) for each in servers
        ]

    def _certificates(self) -> Sequence[FileCertificate]:
        paths = [path for folder in _FOLDERS for path in sorted((self._home.certs / folder).glob("*.crt"))]
        now, found = self._clock.now(), []
        for path in paths:
            try:
                leaf = x509.load_pem_x509_certificate(path.read_bytes())
            except (OSError, ValueError):
                continue  # being replaced, or another server's
            found.append(
                FileCertificate(
                    name=f"{path.parent.name}/{path.stem}",
                    subject=leaf.subject.rfc4514_string(),
                    not_after=leaf.not_valid_after_utc,
                    days_left=(leaf.not_valid_after_utc - now).days,
                )
            )
        return sorted(found, key=lambda certificate: certificate.not_after)

    def _list(self, authority: str) -> ListState:
        crl = x509.load_der_x509_crl(self._lists.crl(authority))
        next_update: datetime = crl.next_update_utc or crl.last_update_utc
        return ListState(
            authority=authority,
            number=crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number,
            entries=len(crl),
            this_update=crl.last_update_utc.astimezone(UTC),
            next_update=next_update.astimezone(UTC),
        )


def _with_process(server: ServerHealth, known: Mapping[str, Any]) -> ServerHealth:
    state = known.get(server.name)
    if state is None:
        return server
    return ServerHealth(
        name=server.name,
        complaint=server.complaint,
        milliseconds=server.milliseconds,
        pid=state.pid,
        restarts=state.restarts,
    )


def _version() -> str:
    try:
        return version("psd2-sandbox")
    except PackageNotFoundError:
        return "from source"

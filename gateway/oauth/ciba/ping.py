"""Tells clients that a request of theirs is decided (CIBA Core §10.2): once if they listen, a few times if they don't.

The client's id of the request and its token are secrets that have to be sent again: they are kept sealed, and only as long.
"""

from __future__ import annotations

import base64
import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from chassis.sealing import SealBroken
from gateway.oauth.bank import BankUnavailable
from gateway.oauth.ciba.bank import AskStatus
from gateway.trust.addresses import AddressRefused, read_location
from gateway.trust.fetching import FetchFailed, Order

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chassis.sealing import Seal
    from gateway.oauth.ciba.bank import BackchannelBank
    from gateway.oauth.ciba.model import BackchannelRequest
    from gateway.register.model import Client
    from gateway.trust.fetching import Fetched
    from psd2.clock import Clock

_OWNER: Final = "ciba ping"
_DEADLINE_SECONDS: Final = 5.0
_MOST_BYTES: Final = 4096
_MOST_PINGS: Final = 4
_MOST_AT_A_TIME: Final = 50
_LOOK: Final = timedelta(seconds=1)
_TAKEN_FOR: Final = timedelta(seconds=30)
_TAKEN: Final = frozenset({200, 204})  # CIBA Core §10.2


class PingStore(Protocol):
    """Where requests wait for their clients to be told."""

    def due_for_ping(self, now: datetime, *, most: int) -> list[BackchannelRequest]:
        """Return requests whose clients may have to be told, those that have waited longest first."""

    def take_for_ping(self, request: BackchannelRequest, *, until: datetime) -> bool:
        """Let nobody else look at it until then; False where somebody else has taken it."""

    def note_ping(self, request: BackchannelRequest, *, pings: int, again_in: timedelta | None, now: datetime) -> None:
        """Note how often the client was told, and when to look again; None: not any more."""


class Clients(Protocol):
    """The register, as far as it is asked here."""

    def client(self, client_id: str) -> Client | None:
        """Return the client, or None."""


class Posting(Protocol):
    """Posts over HTTP."""

    def fetch(self, order: Order) -> Fetched:
        """Return what came; raises `FetchFailed`."""


class Pings:
    """What clients are told, sealed."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def sealed(self, auth_req_id: str, token: str) -> str:
        """Return the id of a request and its client's token, for the database."""
        told = json.dumps([auth_req_id, token]).encode()
        return base64.b64encode(self._seal.close(told, owner=_OWNER)).decode("ascii")

    def opened(self, sealed: str) -> tuple[str, str]:
        """Return both; raises `SealBroken`."""
        auth_req_id, token = json.loads(self._seal.open(base64.b64decode(sealed), owner=_OWNER))
        return auth_req_id, token


class Notifier:
    """Tells clients, in a thread of its own; of several processes one takes each request."""

    def __init__(
        self,
        *,
        store: PingStore,
        bank: BackchannelBank,
        clients: Clients,
        pings: Pings,
        public: Callable[[], Posting],
        internal: Callable[[], Posting],
        internal_hosts: frozenset[str],
        clock: Clock,
    ) -> None:
        """Post to hosts that the operator names, `host:port`, through `internal`, which trusts the home's own CA."""
        self._store = store
        self._bank = bank
        self._clients = clients
        self._pings = pings
        self._public = public
        self._internal = internal
        self._internal_hosts = internal_hosts
        self._clock = clock

    def start(self) -> None:
        """Tell clients for as long as the process lives."""
        threading.Thread(target=self._run, name="ciba-pings", daemon=True).start()

    def tell_all(self) -> None:
        """Look at every request that is due; tell the clients of those that are decided."""
        for request in self._store.due_for_ping(self._clock.now(), most=_MOST_AT_A_TIME):
            if self._store.take_for_ping(request, until=self._clock.now() + _TAKEN_FOR):
                self._look_at(request)

    def _look_at(self, request: BackchannelRequest) -> None:
        if not self._is_decided(request):
            self._store.note_ping(request, pings=request.pings, again_in=_LOOK, now=self._clock.now())
            return
        pings = request.pings + 1
        is_told = self._is_told(request)
        # Nobody has to be told for ever: who polls learns it anyway.
        again_in = None if is_told or pings >= _MOST_PINGS else timedelta(seconds=4**pings)
        self._store.note_ping(request, pings=pings, again_in=again_in, now=self._clock.now())

    def _is_decided(self, request: BackchannelRequest) -> bool:
        if request.pings or self._clock.now() >= request.expires_at:
            return True
        try:
            asked = self._bank.asked(request.authorisation, tenant=request.authorisation_number)
        except BankUnavailable:
            return False
        return asked.status is not AskStatus.PENDING

    def _is_told(self, request: BackchannelRequest) -> bool:
        """Tell the client; True also where it can't be told ever."""
        client = self._clients.client(request.client_id)
        url = None if client is None else client.backchannel_client_notification_endpoint
        if url is None or request.ping is None:
            return True
        try:
            self._post(url, *self._pings.opened(request.ping))
        except SealBroken as error:
            get_logger().error("ciba.seal_broken", client=request.client_id, error=str(error))
            return True
        except (AddressRefused, FetchFailed) as error:
            get_logger().warning("ciba.ping_failed", client=request.client_id, error=str(error)[:300])
            return False
        return True

    def _post(self, url: str, auth_req_id: str, token: str) -> None:
        location = read_location(url)
        if not location.is_encrypted:
            raise AddressRefused(f"{url} is not https")
        order = Order(
            url=url,
            deadline_seconds=_DEADLINE_SECONDS,
            most_bytes=_MOST_BYTES,
            internal_hosts=self._internal_hosts,
            body=json.dumps({"auth_req_id": auth_req_id}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            taken=_TAKEN,
        )
        fetcher = self._internal if location.authority in self._internal_hosts else self._public
        fetcher().fetch(order)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK.total_seconds()):
            try:
                self.tell_all()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead thread would never
                get_logger().error("ciba.pings_failed", error=repr(error))

"""Tells clients that a request of theirs is decided (CIBA Core §10.2): once if they listen, a few times if they don't.

An attempt is written down before it is made: a process that is killed has told once more than it knows, or another one does.
The client's id of the request and its token are secrets that have to be sent again: they are kept sealed, and only as long.
"""

from __future__ import annotations

import base64
import json
import threading
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from chassis.sealing import SealBroken
from gateway.oauth.bank import BankUnavailable
from gateway.oauth.ciba.bank import AskStatus
from gateway.oauth.lanes import Bounds, LaneFull
from gateway.trust.addresses import AddressRefused, read_location
from gateway.trust.fetching import FetchFailed, Order

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chassis.sealing import Seal
    from gateway.oauth.ciba.bank import BackchannelBank
    from gateway.oauth.ciba.model import BackchannelRequest
    from gateway.oauth.lanes import Lanes
    from gateway.register.model import Client
    from gateway.trust.fetching import Fetched
    from psd2.clock import Clock

_OWNER: Final = "ciba ping"
_DEADLINE_SECONDS: Final = 5.0
_MOST_PINGS: Final = 4
_MOST_AT_A_TIME: Final = 50
_MOST_EACH: Final = 10
_LOOK: Final = timedelta(seconds=1)
_ATTEMPT: Final = timedelta(seconds=30)
_TAKEN: Final = frozenset({200, 204})  # CIBA Core §10.2
_LATER: Final = frozenset({408, 425, 429})
# So many endpoints are waited for at a time, by threads that do nothing else.
BOUNDS: Final = Bounds(overall=16, each=4, slow=8)


class PingStore(Protocol):
    """Where requests wait for their clients to be told."""

    def due_for_ping(self, now: datetime, *, most: int, most_each: int) -> list[BackchannelRequest]:
        """Return requests whose clients may have to be told, those that have waited longest first, so many of each TPP."""

    def moved_ping(self, request: BackchannelRequest, *, to: datetime, pings: int) -> BackchannelRequest | None:
        """Let nobody look at it until then, and return it so; None where somebody else has moved it meanwhile."""

    def end_pings(self, request: BackchannelRequest) -> None:
        """Tell its client no more, and forget what it was told."""


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
        lanes: Lanes,
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
        self._lanes = lanes
        self._clock = clock

    def start(self) -> None:
        """Tell clients for as long as the process lives."""
        threading.Thread(target=self._run, name="ciba-pings", daemon=True).start()

    def tell_all(self) -> list[threading.Thread]:
        """Look at the requests that are due, and begin to tell the clients of those that are decided; returns who tells."""
        due = self._store.due_for_ping(self._clock.now(), most=_MOST_AT_A_TIME, most_each=_MOST_EACH)
        begun = [self._looked_at(request) for request in due]
        return [thread for thread in begun if thread is not None]

    def _looked_at(self, request: BackchannelRequest) -> threading.Thread | None:
        held = self._store.moved_ping(request, to=self._clock.now() + _LOOK, pings=request.pings)
        if held is None or not self._is_decided(held):
            return None
        if held.pings >= _MOST_PINGS:  # whoever told last was killed while it did
            self._store.end_pings(held)
            return None
        try:
            leave = self._lanes.enter(held.authorisation_number)
        except LaneFull:
            return None  # its turn comes when another of the TPP's is done; the other TPPs go on
        thread = None
        try:
            thread = self._begun(held, leave)
        finally:
            if thread is None:
                leave()
        return thread

    def _begun(self, held: BackchannelRequest, leave: Callable[[], None]) -> threading.Thread | None:
        """Write an attempt down and return who makes it, and leaves then; None where somebody else has taken it meanwhile."""
        attempt = self._store.moved_ping(held, to=self._clock.now() + _ATTEMPT, pings=held.pings + 1)
        if attempt is None:
            return None
        thread = threading.Thread(target=self._tell, args=(attempt, leave), name="ciba-ping", daemon=True)
        thread.start()
        return thread

    def _tell(self, attempt: BackchannelRequest, leave: Callable[[], None]) -> None:
        try:
            # Nobody has to be told for ever: who polls learns it anyway.
            if self._is_told(attempt) or attempt.pings >= _MOST_PINGS:
                self._store.end_pings(attempt)
            else:
                again = self._clock.now() + timedelta(seconds=4**attempt.pings)
                self._store.moved_ping(attempt, to=again, pings=attempt.pings)
        except Exception as error:  # noqa: BLE001 - the attempt is written down: the next one comes
            get_logger().error("ciba.ping_failed", client=attempt.client_id, error=repr(error))
        finally:
            leave()

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
            self._post(url, *self._pings.opened(request.ping), party=request.authorisation_number)
        except SealBroken as error:
            get_logger().error("ciba.seal_broken", client=request.client_id, error=str(error))
            return True
        except (AddressRefused, FetchFailed) as error:
            get_logger().warning("ciba.ping_failed", client=request.client_id, error=str(error)[:300])
            return isinstance(error, FetchFailed) and _is_final(error.status)
        return True

    def _post(self, url: str, auth_req_id: str, token: str, *, party: str) -> None:
        location = read_location(url)
        if not location.is_encrypted:
            raise AddressRefused(f"{url} is not https")
        order = Order(
            url=url,
            deadline_seconds=_DEADLINE_SECONDS,
            most_bytes=0,  # CIBA Core §10.2: whatever it says besides is left alone
            internal_hosts=self._internal_hosts,
            body=json.dumps({"auth_req_id": auth_req_id}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            taken=_TAKEN,
            party=party,
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


def _is_final(status: int | None) -> bool:
    """Tell whether the client has heard and wants no more of it: the same again would be answered the same."""
    return status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _LATER

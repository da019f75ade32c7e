"""Fetches revocation lists before they run out, and takes them into force as if they had been sent."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.trust.crl_bounds import MOST_BYTES
from gateway.trust.crl_points import points_of
from gateway.trust.crl_turns import next_turns
from gateway.trust.fetching import FetchFailed, Order
from gateway.trust.model import TrustRefusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from gateway.trust.crl_points import Point
    from gateway.trust.fetching import Fetched
    from gateway.trust.kind import TrustStore
    from gateway.trust.model import RevocationList
    from psd2.clock import Clock

_LOOK_SECONDS: Final = 1.0
_DEADLINE_SECONDS: Final = 30.0
_RETRY: Final = timedelta(seconds=30)
_SOONEST: Final = timedelta(seconds=10)
_CLAIM: Final = timedelta(seconds=3 * _DEADLINE_SECONDS)


class Points(Protocol):
    """Where lists are fetched from."""

    def due(self, now: datetime) -> Sequence[Point]:
        """Return the addresses whose time has come."""

    def name(self, store: str, urls: Iterable[str], now: datetime) -> None:
        """Note addresses."""

    def is_claimed(self, point: Point, *, until: datetime, now: datetime) -> bool:
        """Take on the fetching; tell whether nobody else has."""

    def note_taken(self, point: Point, *, etag: str | None, due_at: datetime, now: datetime) -> None:
        """Note that the list is in force, and when to look again."""

    def note_failure(self, point: Point, failure: str, *, due_at: datetime) -> None:
        """Note why nothing came."""

    def drop(self, point: Point) -> None:
        """Fetch from there no more."""


class Taking(Protocol):
    """Takes lists into force."""

    def take_crl(self, store: str, der: bytes, *, source: str) -> RevocationList:
        """Take a CRL into force; raises `TrustRefusal`."""

    def authorities(self, store: str) -> Sequence[x509.Certificate]:
        """Return the CAs of a store."""


class Fetching(Protocol):
    """Fetches over HTTP."""

    def fetch(self, order: Order) -> Fetched:
        """Return what came; raises `FetchFailed`."""


class CrlKeeper:
    """Keeps the lists of all stores that say so, each in a thread of its own; several processes share the work."""

    def __init__(
        self,
        *,
        points: Points,
        trust: Taking,
        fetcher: Fetching,
        stores: Callable[[], Mapping[str, TrustStore]],
        clock: Clock,
    ) -> None:
        """Work for `stores`, the documents that stand."""
        self._points = points
        self._trust = trust
        self._fetcher = fetcher
        self._stores = stores
        self._clock = clock
        self._under_way: dict[tuple[str, str], Point] = {}

    def start(self) -> None:
        """Fetch in the background for as long as the process lives."""
        threading.Thread(target=self._run, name="crl-keeper", daemon=True).start()

    def begin_due(self) -> list[Future[bool]]:
        """Begin to fetch lists whose time has come, as far as it is their turn; each tells whether its list came into force."""
        now, stores = self._clock.now(), self._stores()
        for name, store in stores.items():
            self._points.name(name, self._named(store), now)
        turns = next_turns(self._points.due(now), [*self._under_way.values()])
        return [self._begun(point, stores.get(point.store)) for point in turns]

    def _begun(self, point: Point, store: TrustStore | None) -> Future[bool]:
        done: Future[bool] = Future()
        self._under_way[point.store, point.url] = point
        threading.Thread(target=self._fetch, args=(point, store, done), name=f"crl of {point.store}", daemon=True).start()
        return done

    def _fetch(self, point: Point, store: TrustStore | None, done: Future[bool]) -> None:
        is_taken = False
        try:
            is_taken = self._is_taken(point, store)
        except Exception as error:  # noqa: BLE001 - the next turn tries again
            get_logger().error("crl.keeper_failed", store=point.store, url=point.url, error=repr(error))
        finally:
            del self._under_way[point.store, point.url]
            done.set_result(is_taken)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_SECONDS):
            try:
                self.begin_due()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead keeper would never
                get_logger().error("crl.keeper_failed", error=repr(error))

    def _named(self, store: TrustStore) -> Iterable[str]:
        rules = store.rules.revocation
        if not rules.method.reads_lists:
            return ()
        by_authorities = [url for each in self._trust.authorities(store.name) for url in points_of(each)]
        return [*rules.crl.points, *(by_authorities if rules.crl.fetch else ())]

    def _is_taken(self, point: Point, store: TrustStore | None) -> bool:
        now = self._clock.now()
        if store is None or not _is_wanted(point, store):
            self._points.drop(point)
            return False
        if not self._points.is_claimed(point, until=now + _CLAIM, now=now):
            return False
        try:
            self._take(point, store)
        except (FetchFailed, TrustRefusal) as error:
            get_logger().warning("crl.not_taken", store=point.store, url=point.url, error=str(error))
            self._points.note_failure(point, str(error), due_at=self._clock.now() + _RETRY)
            return False
        return True

    def _take(self, point: Point, store: TrustStore) -> None:
        rules = store.rules.revocation
        fetched = self._fetcher.fetch(
            Order(
                url=point.url,
                deadline_seconds=_DEADLINE_SECONDS,
                most_bytes=MOST_BYTES,
                internal_hosts=rules.internal_hosts,
                headers={"If-None-Match": point.etag} if point.etag else {},
            )
        )
        now = self._clock.now()
        if fetched.body is None:
            wait = timedelta(seconds=point.due_at - (point.taken_at or point.due_at)) / 2
        else:
            # Half of what is left of its life: the next one is there in time, and a failure has time to be mended.
            wait = (self._trust.take_crl(point.store, fetched.body, source=point.url).next_update - now) / 2
        wait = max(min(wait, timedelta(seconds=rules.crl.every_seconds)), _SOONEST)
        self._points.note_taken(point, etag=fetched.etag, due_at=now + wait, now=now)


def _is_wanted(point: Point, store: TrustStore) -> bool:
    rules = store.rules.revocation
    return rules.method.reads_lists and (rules.crl.fetch or point.url in rules.crl.points)

"""Passes on where the certificates that come in say that their issuers' lists are, so that those are fetched."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from gateway.trust.crl_points import points_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography import x509

_MOST_SEEN: Final = 5_000


class PointNotes:
    """Remembers what has been passed on."""

    def __init__(self, name: Callable[[str, list[str]], None]) -> None:
        """`name` notes addresses for a store; it blocks, and runs in a thread."""
        self._name = name
        self._seen: set[tuple[str, str]] = set()
        self._noting: set[asyncio.Future[None]] = set()

    def note(self, store: str, chain: Sequence[x509.Certificate]) -> None:
        """Pass on what a chain that verifies names, below its anchor."""
        urls = [url for each in chain[:-1] for url in points_of(each) if (store, url) not in self._seen]
        if not urls or len(self._seen) >= _MOST_SEEN:
            return
        self._seen.update((store, url) for url in urls)
        noting = asyncio.get_running_loop().run_in_executor(None, partial(self._name, store, urls))
        self._noting.add(noting)
        noting.add_done_callback(partial(self._noted, store, urls))

    def _noted(self, store: str, urls: list[str], noting: asyncio.Future[None]) -> None:
        self._noting.discard(noting)
        if not noting.cancelled() and noting.exception() is not None:
            get_logger().error("crl.point_not_noted", store=store, error=str(noting.exception()))
            self._seen.difference_update((store, url) for url in urls)

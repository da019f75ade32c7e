"""Keeps what is stapled to the certificates of server names, as many as there are, whoever of their responders is slow."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.edge.tls.stapler import Stapler
    from gateway.edge.tls.stapling import Staple

_LOOK_SECONDS: Final = 5.0
# Responders that are slow hold these threads and no others.
_THREADS: Final = 2


class Staplers:
    """One stapler for each chain in force; the default certificate has one of its own, which waits for none of these."""

    def __init__(self, in_force: Callable[[], Mapping[str, Staple]], make: Callable[[str, Staple], Stapler]) -> None:
        """`in_force` returns staples by chain (PEM), `make` whoever keeps one."""
        self._in_force = in_force
        self._make = make
        self._staplers: dict[Staple, Stapler] = {}
        self._looking: set[Staple] = set()

    async def keep(self, *, look_seconds: float = _LOOK_SECONDS) -> None:
        """Keep them until cancelled."""
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="staple")
        try:
            while True:
                self._look_at_all(threads)
                await asyncio.sleep(look_seconds)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def _look_at_all(self, threads: ThreadPoolExecutor) -> None:
        known = self._staplers
        self._staplers = {staple: known.get(staple) or self._make(chain, staple) for chain, staple in self._in_force().items()}
        for staple, stapler in self._staplers.items():
            if staple not in self._looking:
                self._looking.add(staple)
                threads.submit(self._look, staple, stapler)

    def _look(self, staple: Staple, stapler: Stapler) -> None:
        try:
            stapler.look()
        finally:
            self._looking.discard(staple)

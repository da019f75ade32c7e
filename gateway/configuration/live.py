"""The configuration in one worker: a whole new set takes the place of the old one at once, or not at all.

A set that can't be used is logged and never replaces a good one; the worker asks again until a usable one is there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.configuration.snapshot import SetRefused, Snapshot, SnapshotReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.configuration.model import Kinds
    from gateway.configuration.versions import Version

_RETRY_SECONDS: Final = 0.25
_MOST_FAULTS_LOGGED: Final = 20


class ConfigurationSource(Protocol):
    """Where documents stand; the call blocks and may raise anything that the database raises."""

    def standing(self) -> Sequence[Version]:
        """Return every document that stands."""


class Part(Protocol):
    """Something that decides by the configuration."""

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Build what the snapshot comes to, off the event loop; raises where it can't be used.

        What it returns puts it in force: called on the event loop together with all others', it neither blocks nor fails.
        """


class LiveConfiguration:
    """What is in force in this worker. `start` it before the first request; `renew` it when the change feed says so."""

    def __init__(self, *, source: ConfigurationSource, kinds: Kinds, parts: Sequence[Part]) -> None:
        self.snapshot = Snapshot()
        self._source = source
        self._reader = SnapshotReader(kinds)
        self._parts = parts
        self._renewal: asyncio.Task[None] | None = None
        self._wanted = 0
        self._is_refused = False

    async def start(self) -> None:
        """Put the stored set in force; raises `SetRefused`, what a part raises, what the database raises."""
        await self._renew_once()

    def renew(self) -> None:
        """Put the stored set in force soon: several changes in a rush may come to one new set."""
        self._wanted += 1
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._renew(), name="configuration")

    def stop(self) -> None:
        """Renew no more."""
        if self._renewal is not None:
            self._renewal.cancel()

    async def _renew(self) -> None:
        done = 0
        while done < self._wanted:
            asked = self._wanted
            try:
                await self._renew_once()
            except SetRefused as refused:
                # Only a further change can make it usable, and the feed will tell of that.
                self._note_refusal(refused)
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the old set stays and is not the newest
                get_logger().error("configuration.unreadable", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            done = asked

    async def _renew_once(self) -> None:
        snapshot, put_in_force = await asyncio.to_thread(self._prepared)
        for each in put_in_force:
            each()
        self.snapshot = snapshot
        self._is_refused = False

    def _prepared(self) -> tuple[Snapshot, list[Callable[[], None]]]:
        snapshot = self._reader.read(self._source.standing())
        return snapshot, [part.prepare(snapshot) for part in self._parts]

    def _note_refusal(self, refused: SetRefused) -> None:
        told = [f"{fault.document}: {fault.field}: {fault.problem}" for fault in refused.faults[:_MOST_FAULTS_LOGGED]]
        get_logger().error("configuration.refused", faults=told, count=len(refused.faults))
        self._is_refused = True

    @property
    def is_newest(self) -> bool:
        """Whether the stored set is the one in force, as far as this worker has heard."""
        return not self._is_refused

"""The configuration in one worker: a whole new set takes the place of the old one at once, or not at all.

A set that can't be used is logged and never replaces a good one; the worker asks again until a usable one is there. One that
starts while such a set is stored takes the one that the other workers hold, from the history; without any it does not start.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.configuration.snapshot import SetRefused, Snapshot, SnapshotReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.configuration.held import HeldSet, VersionKey
    from gateway.configuration.model import Kinds
    from gateway.configuration.versions import Version

_RETRY_SECONDS: Final = 0.25
_MOST_FAULTS_LOGGED: Final = 20
_MOST_CHARACTERS_LOGGED: Final = 2_000


class ConfigurationSource(Protocol):
    """Where documents stand; the call blocks and may raise anything that the database raises."""

    def standing(self) -> Sequence[Version]:
        """Return every document that stands."""

    def versions(self, keys: Sequence[VersionKey]) -> Sequence[Version]:
        """Return these versions from the history, as far as they are there."""


class Part(Protocol):
    """Something that decides by the configuration."""

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Build what the snapshot comes to, off the event loop; raises where it can't be used.

        What it returns puts it in force: called on the event loop together with all others', it neither blocks nor fails.
        """


class LiveConfiguration:
    """What is in force in this worker. `start` it before the first request; `renew` it when the change feed says so."""

    def __init__(
        self, *, source: ConfigurationSource, kinds: Kinds, parts: Sequence[Part], held: HeldSet | None = None
    ) -> None:
        """`held` is what this worker shares with the others of its server."""
        self.snapshot = Snapshot()
        self._held = held
        self._source = source
        self._reader = SnapshotReader(kinds)
        self._parts = parts
        self._renewal: asyncio.Task[None] | None = None
        self._wanted = 0
        self._is_refused = False

    async def start(self) -> None:
        """Put the stored set in force, or where it can't be, the one that the other workers hold.

        Without any raises `SetRefused`, what a part raises, what the database raises.
        """
        try:
            await self._renew_once()
        except Exception as error:
            if not await self._is_held_taken():
                raise
            get_logger().error("configuration.held_taken", error=str(error)[:_MOST_CHARACTERS_LOGGED])
            self._is_refused = True
            if not isinstance(error, SetRefused):
                self.renew()  # what was wrong may be over without any change that the feed would tell of

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
        await self._take(self._source.standing)
        self._is_refused = False

    async def _is_held_taken(self) -> bool:
        """Put the set of the other workers in force; tell whether there is one, whole and usable."""
        keys = self._held.keys() if self._held else None
        if keys is None:
            return False
        try:
            await self._take(partial(_whole, self._source, keys))
        except Exception as error:  # noqa: BLE001 - why the stored set can't be used is what is told
            get_logger().error("configuration.held_unusable", error=str(error)[:_MOST_CHARACTERS_LOGGED])
            return False
        return True

    async def _take(self, read: Callable[[], Sequence[Version]]) -> None:
        versions, snapshot, put_in_force = await asyncio.to_thread(self._prepared, read)
        for each in put_in_force:
            each()
        self.snapshot = snapshot
        if self._held is not None:
            self._held.note(versions)

    def _prepared(self, read: Callable[[], Sequence[Version]]) -> tuple[Sequence[Version], Snapshot, list[Callable[[], None]]]:
        versions = read()
        snapshot = self._reader.read(versions)
        return versions, snapshot, [part.prepare(snapshot) for part in self._parts]

    def _note_refusal(self, refused: SetRefused) -> None:
        told = [f"{fault.document}: {fault.field}: {fault.problem}" for fault in refused.faults[:_MOST_FAULTS_LOGGED]]
        get_logger().error("configuration.refused", faults=told, count=len(refused.faults))
        self._is_refused = True

    @property
    def is_newest(self) -> bool:
        """Whether the stored set is the one in force, as far as this worker has heard."""
        return not self._is_refused


def _whole(source: ConfigurationSource, keys: Sequence[VersionKey]) -> Sequence[Version]:
    """Return these versions; raises `LookupError` where one is missing: a part of a set is another set."""
    versions = source.versions(keys)
    if len(versions) != len(keys):
        msg = f"of the {len(keys)} documents that other workers have in force, the history holds {len(versions)}"
        raise LookupError(msg)
    return versions

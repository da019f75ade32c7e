"""What a worker remembers of the database: looked up once, off the event loop, and forgotten when the feed says so.

A check that meets something not remembered raises `NotLoaded`; whoever runs the checks loads it and runs them again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from collections.abc import Set as AbstractSet

_Value = TypeVar("_Value")
_MOST_READINGS = 5
_LOAD_SECONDS = 5.0


class UnsettledEntry(RuntimeError):
    """An entry changes faster than it can be read."""


class Loader(Protocol):
    """Something that can look up what is missing."""

    async def load(self, key: str) -> None:
        """Look `key` up."""


class NotLoaded(LookupError):
    """Something has to be looked up before the checks can go on: await `load()`, then run them again."""

    def __init__(self, memory: Loader, key: str) -> None:
        """Name what is missing."""
        super().__init__(key)
        self._memory = memory
        self._key = key

    async def load(self) -> None:
        """Look it up; raises what the database raises, `TimeoutError`, `UnsettledEntry`."""
        await self._memory.load(self._key)


class Memory(Generic[_Value]):
    """At most `most` entries by key; an entry that is None says that there is no such thing."""

    def __init__(self, read: Callable[[str], _Value | None], *, most: int) -> None:
        """Remember what `read` returns; it blocks, and runs in a thread."""
        self._read = read
        self._most = most
        self._entries: dict[str, _Value | None] = {}
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._doubted: set[str] = set()

    def known(self, key: str) -> _Value | None:
        """Return the entry; raises `NotLoaded`."""
        try:
            return self._entries[key]
        except KeyError:
            raise NotLoaded(self, key) from None

    def peek(self, key: str) -> _Value | None:
        """Return the entry where there is one; from any thread."""
        return self._entries.get(key)

    async def load(self, key: str) -> None:
        """Look `key` up, together with everybody else who waits for it."""
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.get_running_loop().create_task(self._load(key))
        async with asyncio.timeout(_LOAD_SECONDS):
            await asyncio.shield(task)

    def keys(self) -> AbstractSet[str]:
        """Return the keys of all entries."""
        return self._entries.keys()

    def values(self) -> Collection[_Value | None]:
        """Return all entries."""
        return self._entries.values()

    def doubt(self, key: str) -> None:
        """Start a look-up of `key` that is under way anew, because it may have read the old state."""
        if key in self._loading:
            self._doubted.add(key)

    def doubt_all(self) -> None:
        """Start every look-up that is under way anew."""
        self._doubted.update(self._loading)

    def drop(self, key: str) -> None:
        """Drop `key`; a look-up of it that is under way goes on, and is as good as it was."""
        self._entries.pop(key, None)

    def forget(self, key: str) -> None:
        """Drop `key`, which is not what it was."""
        self.drop(key)
        self.doubt(key)

    def forget_all(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self.doubt_all()

    async def _load(self, key: str) -> None:
        try:
            for _ in range(_MOST_READINGS):
                self._doubted.discard(key)
                value = await asyncio.to_thread(self._read, key)
                if key not in self._doubted:
                    self._remember(key, value)
                    return
            self._entries.pop(key, None)
            raise UnsettledEntry(key)
        finally:
            self._loading.pop(key, None)
            self._doubted.discard(key)

    def _remember(self, key: str, value: _Value | None) -> None:
        while len(self._entries) >= self._most:
            self._entries.pop(next(iter(self._entries)))
        self._entries[key] = value

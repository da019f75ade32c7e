"""What a worker remembers: loaded once for all who wait, bounded, and never older than the last word."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.admission.memory import Memory, NotLoaded, UnsettledEntry


class Table:
    """A table whose reading can be held up."""

    def __init__(self, **rows: str) -> None:
        self.rows = rows
        self.readings = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.has_begun = threading.Event()

    def read(self, key: str) -> str | None:
        self.readings += 1
        value = self.rows.get(key)
        self.has_begun.set()
        self.may_go_on.wait(5)
        return value


def test_what_was_not_looked_up_is_asked_for_and_then_known() -> None:
    """An absent row is remembered too."""

    async def run() -> None:
        table = Table(a="1")
        memory: Memory[str] = Memory(table.read, most=10)
        for key in ("a", "b"):
            with pytest.raises(NotLoaded) as missing:
                memory.known(key)
            await missing.value.load()
        assert (memory.known("a"), memory.known("b")) == ("1", None)
        assert table.readings == 2

    asyncio.run(run())


def test_all_who_wait_share_one_look_up() -> None:
    """A hundred at once."""

    async def run() -> None:
        table = Table(a="1")
        memory: Memory[str] = Memory(table.read, most=10)
        await asyncio.gather(*(memory.load("a") for _ in range(100)))
        assert table.readings == 1

    asyncio.run(run())


def test_a_change_during_a_look_up_makes_it_start_anew() -> None:
    """The row was read before the change, the feed tells of it before the look-up is back: the old row is not remembered."""

    async def run() -> None:
        table = Table(a="good")
        memory: Memory[str] = Memory(table.read, most=10)
        table.may_go_on.clear()
        loading = asyncio.create_task(memory.load("a"))
        await asyncio.to_thread(table.has_begun.wait, 5)
        table.rows["a"] = "revoked"
        memory.forget("a")
        table.may_go_on.set()
        await loading
        assert memory.known("a") == "revoked"
        assert table.readings == 2

    asyncio.run(run())


def test_what_changes_faster_than_it_can_be_read_is_not_known() -> None:
    """No old entry stays in its place."""

    async def run() -> None:
        memory: Memory[str] = Memory(lambda _key: "old", most=10)
        await memory.load("a")
        loop = asyncio.get_running_loop()

        def read_and_change(_key: str) -> str:
            loop.call_soon_threadsafe(memory.doubt, "a")
            threading.Event().wait(0.02)
            return "newer"

        memory._read = read_and_change
        with pytest.raises(UnsettledEntry):
            await memory.load("a")
        with pytest.raises(NotLoaded):
            memory.known("a")

    asyncio.run(run())


def test_forgetting_all_forgets_what_is_being_looked_up_too() -> None:
    """The old row does not come back."""

    async def run() -> None:
        table = Table(a="good")
        memory: Memory[str] = Memory(table.read, most=10)
        table.may_go_on.clear()
        loading = asyncio.create_task(memory.load("a"))
        await asyncio.to_thread(table.has_begun.wait, 5)
        table.rows["a"] = "revoked"
        memory.forget_all()
        table.may_go_on.set()
        await loading
        assert memory.known("a") == "revoked"

    asyncio.run(run())


def test_the_oldest_entries_make_room() -> None:
    """Never more than the limit, however many keys a client invents."""

    async def run() -> None:
        memory: Memory[str] = Memory(lambda key: key, most=3)
        for key in "abcd":
            await memory.load(key)
        with pytest.raises(NotLoaded):
            memory.known("a")
        assert [memory.known(key) for key in "bcd"] == ["b", "c", "d"]

    asyncio.run(run())


def test_a_failing_look_up_fails_for_all_and_is_tried_again() -> None:
    """Nothing is remembered of it."""

    async def run() -> None:
        answers = iter(["gone", "1"])

        def read(_key: str) -> str:
            answer = next(answers)
            if answer == "gone":
                raise OSError(answer)
            return answer

        memory: Memory[str] = Memory(read, most=3)
        with pytest.raises(OSError, match="gone"):
            await memory.load("a")
        await memory.load("a")
        assert memory.known("a") == "1"

    asyncio.run(run())

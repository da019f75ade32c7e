"""Whether a platform runs is told by a lock; files left over from a crash prove nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from chassis.home import Home
from sandbox.platform.state import AlreadyRunning, HomeNotUsable, PlatformState, RunFolder, ServerState

if TYPE_CHECKING:
    from pathlib import Path

STATE = PlatformState(4711, 8440, "2026-03-01T12:00:00+00:00", ready=True, servers=(ServerState("bank", "ready", 4712, 0),))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(Home(tmp_path))


def test_nothing_runs_in_a_new_home(folder: RunFolder, tmp_path: Path) -> None:
    """And asking makes no files."""
    assert folder.running() is None
    assert list(tmp_path.iterdir()) == []


def test_a_running_platform_tells_its_state(folder: RunFolder) -> None:
    """What was written is what is read, while the lock is held."""
    with folder.claimed():
        folder.write(STATE)
        assert folder.running() == STATE
        assert folder.pid() == os.getpid()

    assert folder.running() is None
    assert folder.pid() is None


def test_a_home_is_claimed_once(folder: RunFolder) -> None:
    """The refusal names the process that holds it."""
    with folder.claimed():
        folder.write(STATE)
        with pytest.raises(AlreadyRunning, match="process 4711, base port 8440"), folder.claimed():
            pass
        assert folder.running() == STATE


def test_left_over_files_are_no_running_platform(folder: RunFolder, tmp_path: Path) -> None:
    """A process id that may long belong to another program is not believed."""
    run = Home(tmp_path).run
    run.mkdir(parents=True)
    (run / "platform.pid").write_text(f"{os.getpid()}\n")
    (run / "platform.lock").touch()

    assert not folder.is_held()
    with folder.claimed() as stale:
        assert stale
    with folder.claimed() as stale:
        assert not stale


def test_a_home_that_is_a_file_is_told(tmp_path: Path) -> None:
    """Whatever keeps us from writing, the message names the home."""
    home = tmp_path / "home"
    home.write_text("")

    with pytest.raises(HomeNotUsable, match=f"home {home} can't be written to"), RunFolder(Home(home)).claimed():
        pass


@pytest.mark.parametrize("content", ["{", "[]", '{"servers": 3}', '{"pid": 1, "servers": []}', '{"servers": [{"nam": 1}]}'])
def test_a_damaged_state_is_told(folder: RunFolder, tmp_path: Path, content: str) -> None:
    """Not guessed at."""
    with folder.claimed():
        (Home(tmp_path).run / "platform.json").write_text(content)

        with pytest.raises(HomeNotUsable, match=r"platform.json can't be read"):
            folder.running()

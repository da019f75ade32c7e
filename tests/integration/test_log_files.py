"""Logs of bounded size, to which several processes append: nothing is lost while there is room, and the disk never fills."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from chassis.log_files import LogFile
from sandbox.platform.child import spawn
from sandbox.platform.consoles import keep_consoles_small
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES, LINES, SMALL = 4, 3_000, 4_096
_WRITER = """
import json, pathlib, sys
from chassis.log_files import LogFile
path, process, lines, most_bytes = sys.argv[1:]
log = LogFile(pathlib.Path(path), most_bytes=int(most_bytes), kept_aside=1_000_000)
for number in range(int(lines)):
    log.write(json.dumps([int(process), number]) + "\\n")
"""


def test_no_line_is_lost_or_torn_while_several_processes_rotate(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    arguments = [[str(path), str(process), str(LINES), str(SMALL)] for process in range(PROCESSES)]

    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, *each]) for each in arguments]

    assert [writer.wait(60) for writer in writers] == [0] * PROCESSES
    written = sorted(json.loads(line) for file in tmp_path.iterdir() for line in file.read_text().splitlines())
    assert written == [[process, number] for process in range(PROCESSES) for number in range(LINES)]
    assert max(file.stat().st_size for file in tmp_path.iterdir()) < SMALL + PROCESSES * 64


def test_the_disk_that_a_log_takes_is_bounded(tmp_path: Path) -> None:
    """The newest lines stay."""
    log = LogFile(tmp_path / "bank.jsonl", most_bytes=1_000, kept_aside=2)

    for number in range(1_000):
        log.write(f"{number:019d}\n")

    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 3 * 1_020
    assert f"{999:019d}" in "".join(file.read_text() for file in tmp_path.iterdir())


def test_a_log_that_somebody_has_removed_begins_anew(tmp_path: Path) -> None:
    """For its owner's eyes alone, as the first was."""
    path = tmp_path / "bank.jsonl"
    log = LogFile(path)
    log.write("before\n")

    path.unlink()
    log.write("after\n")

    assert path.read_text() == "after\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_full_console_held_stands_beside_it_and_its_holder_prints_on(tmp_path: Path) -> None:
    """What is printed next is what its supervisor shows when the server dies."""
    console = tmp_path / "bank.console"
    console.write_text("printed by an earlier run\n" * 300)
    chatty = "import time; print('x' * 5_000, flush=True); time.sleep(2); print('last words')"
    child = spawn([sys.executable, "-c", chatty], environment={}, folder=tmp_path, console=console)
    wait_until(lambda: console.stat().st_size > 12_000, seconds=30, what="some output")

    keep_consoles_small(tmp_path, most_bytes=1_000)

    assert console.stat().st_size == 0
    wait_until(child.has_ended, seconds=30, what="the end")
    assert child.bury() == 0
    assert child.last_words() == "last words"
    assert (tmp_path / "bank.console.1").read_text().startswith("printed by an earlier run")

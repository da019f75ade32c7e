"""What all processes of a test run share: the first that wants it makes it, and the run's own process ends it.

    with once("platform") as place:      # a folder, empty for the first; one process at a time
        ...
        stop_at_the_end(place, "sandbox.cli", "down", "--home", str(home))

Under xdist each worker would otherwise start servers of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.commands import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_VARIABLE = "TEST_RUN_SHARED_FOLDER"
_STOP = "stop.json"


def begin_sharing(config: pytest.Config) -> None:
    """Make the folder, in the run's own process: its workers inherit the variable that tells where."""
    if _is_the_runs_own(config):
        os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="tests-")


def end_sharing(config: pytest.Config) -> None:
    """Stop what was shared, in the run's own process, when its workers have ended."""
    if _is_the_runs_own(config):
        folder = Path(os.environ.pop(_VARIABLE))
        for stop in folder.glob(f"*/{_STOP}"):
            run_command(*json.loads(stop.read_bytes()), check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def once(name: str) -> Iterator[Path]:
    """Lend the place of this name to one process at a time."""
    place = Path(os.environ[_VARIABLE]) / name
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place.mkdir(exist_ok=True)
        yield place


def stop_at_the_end(place: Path, module: str, *arguments: str) -> None:
    """Have one of our commands run when the tests have ended."""
    (place / _STOP).write_text(json.dumps([module, *arguments]))


def _is_the_runs_own(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")

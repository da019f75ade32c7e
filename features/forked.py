"""Commands of the platform in processes forked off one that has loaded them: Python's start is most of what each costs."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROGRAMS = {"sandbox": "sandbox.cli"}
# What `sandbox tpp register` needs, which is what the suite runs; "__main__" so that no process loads behave once more.
_LOADED = ["__main__", "sandbox.cli.tpp", "sandbox.bootstrap"]


def run_forked(
    command: str, arguments: Sequence[str], *, environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run one as `python -m` does and return what it said; raises `subprocess.TimeoutExpired`."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder, "out"), Path(folder, "err")
        order = (_PROGRAMS[command], [command, *arguments], dict(environment), str(said), str(complained))
        process = context.Process(target=_be_command, args=order)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(order[1], seconds)
        return subprocess.CompletedProcess(order[1], process.exitcode, said.read_text(), complained.read_text())


def _be_command(module: str, arguments: list[str], environment: dict[str, str], said: str, complained: str) -> None:
    for path, stream in ((said, sys.stdout), (complained, sys.stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)

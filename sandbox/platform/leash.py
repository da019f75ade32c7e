"""Runs gunicorn so that it never outlives the supervisor, even one killed by SIGKILL.

`python -m sandbox.platform.leash SUPERVISOR-PID GUNICORN-ARGUMENTS…`
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
IS_LINUX: Final = sys.platform == "linux"


def hold_to(supervisor: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor dies; exit at once where it already has.

    Linux only. Elsewhere the servers of a supervisor killed by SIGKILL stay up and have to be ended by hand; the next
    `sandbox up` names the ports they hold.
    """
    if IS_LINUX:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have died between starting us and the line above: then nothing would ever tell us.
    if os.getppid() != supervisor:
        sys.exit(f"the supervisor (process {supervisor}) is gone")


def adopt_orphans() -> None:
    """Become the parent of whichever descendant of this process loses its own; Linux only."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def be_called(name: str) -> None:
    """Show as `name` where processes are listed; Linux only."""
    _prctl(_PR_SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def serve(arguments: Sequence[str], *, supervisor: int) -> NoReturn:
    """Be a gunicorn for as long as the supervisor lives."""
    # Imported late: the supervisor itself needs none of it.
    from gunicorn.app.wsgiapp import run

    hold_to(supervisor)
    sys.argv = ["gunicorn", *arguments]
    run(prog="gunicorn")
    sys.exit(0)


if __name__ == "__main__":
    serve(sys.argv[2:], supervisor=int(sys.argv[1]))

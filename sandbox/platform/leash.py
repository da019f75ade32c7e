"""Runs gunicorn so that it never outlives the supervisor, even one killed by SIGKILL.

`python -m sandbox.platform.leash SUPERVISOR-PID GUNICORN-ARGUMENTS…`
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from gunicorn.app.wsgiapp import run

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def hold_to(supervisor: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor dies; exit at once where it already has.

    Linux only. Elsewhere the servers of a supervisor killed by SIGKILL stay up and have to be ended by hand; the next
    `sandbox up` names the ports they hold.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # It may have died between starting us and the line above: then nothing would ever tell us.
    if os.getppid() != supervisor:
        sys.exit(f"the supervisor (process {supervisor}) is gone")


def main() -> None:
    """Take the supervisor's process id off the arguments and leave the rest to gunicorn."""
    hold_to(int(sys.argv.pop(1)))
    run(prog="gunicorn")


if __name__ == "__main__":
    main()

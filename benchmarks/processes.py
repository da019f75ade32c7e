"""CPU time of a process and all its descendants, read from /proc (Linux only)."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return user plus system CPU seconds of `pid` and every living descendant."""
    return sum(_own_cpu_seconds(process) for process in _tree(pid))


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _own_cpu_seconds(pid: int) -> float:
    # The command name may hold spaces and brackets: fields count from behind its closing bracket (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

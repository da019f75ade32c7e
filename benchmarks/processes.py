"""CPU time and memory of a process and all its descendants, read from /proc (Linux only)."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return user plus system CPU seconds of `pid` and every living descendant."""
    return sum(_own_cpu_seconds(process) for process in _tree(pid))


def keep_on(pid: int, cores: set[int]) -> None:
    """Let every thread of `pid` and its descendants run on these cores only; threads that they start later inherit it."""
    for process in _tree(pid):
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)


def megabytes_of(pid: int) -> float:
    """Return the largest proportional share of memory (PSS) among `pid` and its descendants: that of its worker."""
    return max(_own_kilobytes(process) for process in _tree(pid)) / 1024


def _own_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _own_cpu_seconds(pid: int) -> float:
    # The command name may hold spaces and brackets: fields count from behind its closing bracket (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

"""Names what failed in a line each, behind all else: long differences bury pytest's own list, and logs keep an end best."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class FailedTests:
    """Remembers the tests that failed in this run, wherever they ran."""

    def __init__(self) -> None:
        """None so far."""
        self._names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure of a test, or of what stands before or behind it."""
        if report.failed:
            self._names.append(f"{report.nodeid} ({report.when})")

    def pytest_unconfigure(self) -> None:
        """Say them."""
        for name in self._names:
            sys.stdout.write(f"FAILED {name}\n")

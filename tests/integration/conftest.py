"""Fixtures of the tests that start real servers."""

from __future__ import annotations

import pytest

from tests.support.platform import RunningPlatform, free_base_port, shared_platform
from tests.support.shared import once


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped, each reason once: a test that did not run proves nothing."""
    skipped = terminalreporter.getreports("skipped")
    reasons = {report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"SKIPPED: {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.fixture
def free_block() -> int:
    """Return a base port with its whole block of ports free."""
    return free_base_port()


@pytest.fixture(scope="session")
def platform() -> RunningPlatform:
    """Lend one running platform to all tests of the run, in whichever process; each registers TPPs of its own."""
    with once("platform") as place:
        return shared_platform(place)

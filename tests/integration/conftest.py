"""Fixtures of the tests that start real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.platform import RunningPlatform, free_base_port, running_platform

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def free_block() -> int:
    """Return a base port with its whole block of ports free."""
    return free_base_port()


@pytest.fixture(scope="session")
def platform() -> Iterator[RunningPlatform]:
    """Lend one running platform to all tests of the session; each registers TPPs of its own."""
    with running_platform() as running:
        yield running

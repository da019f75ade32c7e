"""Pauses before a server is started again."""

from __future__ import annotations

from sandbox.platform.supervised import restart_delay


def test_the_first_failure_costs_no_pause() -> None:
    """A killed server is back at once."""
    assert restart_delay(1) == 0.0


def test_pauses_double_up_to_ten_seconds() -> None:
    """A server that cannot start does not keep the machine busy, and is never given up."""
    assert [restart_delay(failures) for failures in range(2, 10)] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert restart_delay(10_000) == 10.0

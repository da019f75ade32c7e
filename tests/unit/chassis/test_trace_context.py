"""W3C Trace Context: what is a traceparent, what is none, and whose lines of the log bear it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.serving.callers import AcceptedCallers
from chassis.told.trace_context import TraceParent, name_trace, note_trace

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RIGHT = f"00-{TRACE}-{PARENT}-01"


def test_a_traceparent_is_read_and_written() -> None:
    """The specification's own example (§3.2.3)."""
    read = TraceParent.read(RIGHT)
    assert read == TraceParent(TRACE, PARENT, is_sampled=True)
    assert str(read) == RIGHT


@pytest.mark.parametrize(
    "wrong",
    [
        None, "", RIGHT[:-1], RIGHT + "0", RIGHT + "-more", RIGHT.upper(), f" {RIGHT}", f"{RIGHT}\n", f"{RIGHT},{RIGHT}",
        f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{PARENT}-0x",
    ],
)  # fmt: skip
def test_what_is_no_traceparent_is_none(wrong: str | None) -> None:
    """Then a trace of its own begins (§4.3)."""
    assert TraceParent.read(wrong) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """It may say more behind another hyphen; what is passed on is this version, with the flag that is known."""
    read = TraceParent.read(f"01-{TRACE}-{PARENT}-ff-what-comes")
    assert str(read) == RIGHT


@given(st.text())
def test_anything_is_read_or_not_and_never_more_than_it_says(value: str) -> None:
    read = TraceParent.read(value)
    assert read is None or str(read)[3:-2] == value[3:53]


def logged() -> dict[str, object]:
    """Return what a log line of this thread says."""
    return dict(name_trace(None, "info", {"event": "a"}))


def test_log_lines_of_a_request_bear_its_trace_and_the_next_ones_their_own() -> None:
    """A thread serves many: one's trace must not stand in another's lines."""
    note_trace({"HTTP_TRACEPARENT": RIGHT})
    assert logged() == {"event": "a", "trace_id": TRACE, "parent_id": PARENT}
    note_trace({"HTTP_TRACEPARENT": "nonsense\n"})
    assert logged() == {"event": "a"}
    note_trace({"HTTP_TRACEPARENT": RIGHT})
    note_trace({})
    assert logged() == {"event": "a"}


def test_every_internal_server_notes_the_trace_of_whom_it_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of nobody else."""
    seen: list[dict[str, object]] = []

    def application(_environ: object, _start: object) -> list[bytes]:
        seen.append(logged())
        return []

    guard = AcceptedCallers(application, names=frozenset({"gateway"}))
    monkeypatch.setattr("chassis.serving.callers._certificate_names", lambda _environ: ["gateway"])
    guard({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_TRACEPARENT": RIGHT}, lambda *_args: lambda _data: None)
    note_trace({})
    assert seen == [{"event": "a", "trace_id": TRACE, "parent_id": PARENT}]

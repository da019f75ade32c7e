"""Audit records on their way to the database: each arrives once, whatever is killed, rotated, torn or away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from gateway.audit import shipping
from gateway.audit.log import AuditLog
from gateway.audit.reader import AuditFilter, Look
from gateway.audit.shipping import Retention
from gateway.audit.store import Move, Overtaken, SqlAuditRecords
from tests.support.audit_shipping import NOON, call, line, numbers, ship_all, shipped, shipper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

MEBIBYTE = 1024 * 1024
STEPS = 12  # a turn takes fewer statements


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Kills whoever uses the database at a step of its way: a statement, or the commit."""

    def __init__(self, engine: Engine) -> None:
        self.left = 0
        event.listen(engine, "before_cursor_execute", self._step)
        event.listen(engine, "commit", self._step)

    def _step(self, *_of: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


@pytest.fixture
def records(engine: Engine) -> SqlAuditRecords:
    return SqlAuditRecords(engine)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[AuditLog]:
    log = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    yield log
    log.close()


def test_a_record_arrives_once_at_whatever_step_the_shipper_is_killed(
    engine: Engine, records: SqlAuditRecords, worker: AuditLog, tmp_path: Path
) -> None:
    """Requests and failed handshakes: whoever is started next goes on."""
    killer, kills = Killer(engine), 0
    for step in range(1, STEPS + 1):
        worker.append(call(2 * step))
        worker.append(line(2 * step + 1, kind="handshake"))
        killer.left = step
        try:
            shipper(tmp_path, records).turn()
        except Killed:
            kills += 1
        killer.left = 0
        assert numbers(Look(tmp_path, shipped=records).newest(100)) == list(range(2 * step + 1, 1, -1))
    ship_all(tmp_path, records)

    assert kills >= 6
    assert numbers(shipped(engine)) == list(range(2, 2 * STEPS + 2))


def test_who_is_killed_after_the_commit_ships_nothing_again(
    engine: Engine, records: SqlAuditRecords, worker: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had not yet noted what it had done."""
    at_work = shipper(tmp_path, records)
    worker.append(line(1, kind="handshake"))
    with monkeypatch.context() as patch:
        patch.setattr(records, "prune", killed)
        with pytest.raises(Killed):
            at_work.turn()
    at_work.turn()
    ship_all(tmp_path, records)
    assert numbers(shipped(engine)) == [1]


def killed(**_of: object) -> int:
    raise Killed


def test_what_is_read_again_is_not_kept_again(
    engine: Engine, records: SqlAuditRecords, worker: AuditLog, tmp_path: Path
) -> None:
    """Where its place was lost: a request is known by its id, a handshake by where it stood."""
    for number in range(4):
        worker.append(call(number) if number % 2 else line(number))
    ship_all(tmp_path, records)
    records.forget(list(records.places()))
    ship_all(tmp_path, records)
    assert numbers(shipped(engine)) == [0, 1, 2, 3]


def test_of_two_that_ship_the_same_place_one_changes_nothing(
    records: SqlAuditRecords, worker: AuditLog, tmp_path: Path
) -> None:
    """The places never go back: what is in the database is not read from the files."""
    worker.append(call(1))
    ship_all(tmp_path, records)
    [(file, place)] = records.places().items()
    with pytest.raises(Overtaken):
        records.take([], [Move(file=file, start=0, end=place - 1)], datetime.now(UTC))
    assert records.places() == {file: place}


def test_rotated_files_are_shipped_to_their_end(
    engine: Engine, records: SqlAuditRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under whatever name the next lines are found, and in batches that end within files."""
    monkeypatch.setattr(shipping, "BATCH", 3)
    log = AuditLog(tmp_path, rotate_bytes=600, kept=100)
    at_work = shipper(tmp_path, records)
    for number in range(40):
        log.append(call(number))
        if number % 4 == 0:
            at_work.turn()
    while at_work.turn():
        pass
    log.close()
    assert len(list(tmp_path.glob("audit-1.*.jsonl"))) > 3
    assert numbers(shipped(engine)) == list(range(40))


def test_a_torn_line_waits_and_hides_nothing_that_is_written_behind_it(
    engine: Engine, records: SqlAuditRecords, tmp_path: Path
) -> None:
    """A worker died in the middle of a line; the next one goes on in its file."""
    path = tmp_path / "audit-1.jsonl"
    torn = call(2)
    path.write_bytes(call(1) + b"\n" + torn[:50])
    ship_all(tmp_path, records)
    assert numbers(shipped(engine)) == [1]

    with path.open("ab") as file:
        file.write(call(3) + b"\n" + b"{broken\n" + call(4) + b"\n")
    with capture_logs() as told:
        ship_all(tmp_path, records)

    assert numbers(shipped(engine)) == [1, 3, 4]
    assert [(entry["event"], entry["lines"]) for entry in told] == [("audit.lines_unreadable", 1)]


def test_a_torn_line_is_shipped_once_it_is_whole(engine: Engine, records: SqlAuditRecords, tmp_path: Path) -> None:
    """A reader may see the beginning of a line whose end is just being written."""
    path = tmp_path / "audit-1.jsonl"
    torn = call(2) + b"\n"
    path.write_bytes(call(1) + b"\n" + torn[:50])
    at_work = shipper(tmp_path, records)
    at_work.turn()
    with path.open("ab") as file:
        file.write(torn[50:] + call(3) + b"\n")
    at_work.turn()
    assert numbers(shipped(engine)) == [1, 2, 3]


def test_a_file_that_is_put_aside_while_files_are_listed_is_neither_lost_nor_gone(
    engine: Engine, records: SqlAuditRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is another's by the time that it is opened."""
    log = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    log.append(line(1, kind="handshake"))
    at_work = shipper(tmp_path, records)
    at_work.turn()
    log.append(line(2, kind="handshake"))
    log.close()
    after = iter([line(number, kind="handshake", filler="x" * MEBIBYTE) for number in (3, 4)])
    listed = Path.glob

    def glob(folder: Path, pattern: str) -> Iterator[Path]:
        names = list(listed(folder, pattern))
        if (next_line := next(after, None)) is not None:
            rotating = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
            rotating.append(next_line)
            rotating.close()
        return iter(names)

    monkeypatch.setattr(Path, "glob", glob)
    with capture_logs() as told:
        at_work.turn()
        assert numbers(Look(tmp_path, shipped=records).newest(9)) == [4, 3, 2, 1]
        ship_all(tmp_path, records)

    assert told == []
    assert numbers(shipped(engine)) == [1, 2, 3, 4]


def test_a_database_that_is_away_is_caught_up_with(
    engine: Engine, records: SqlAuditRecords, worker: AuditLog, tmp_path: Path
) -> None:
    """The same shipper goes on, and the log is read from the files meanwhile, as far as they go."""
    at_work = shipper(tmp_path, records)
    worker.append(call(1))
    at_work.turn()
    event.listen(engine, "begin", unavailable)
    worker.append(call(2))
    with pytest.raises(OperationalError):
        at_work.turn()
    look = Look(tmp_path, shipped=records)
    assert (numbers(look.newest(10)), look.is_complete, look.resumes_at) == ([2, 1], False, None)

    event.remove(engine, "begin", unavailable)
    at_work.turn()
    assert numbers(shipped(engine)) == [1, 2]


def unavailable(_connection: Connection) -> None:
    raise OperationalError("BEGIN", {}, Exception("away"))


def test_what_was_deleted_before_it_was_shipped_is_said(
    engine: Engine, records: SqlAuditRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edge keeps so many files and no more; what was shipped of them is no loss."""
    monkeypatch.setattr(shipping, "BATCH", 2)
    first, second = tmp_path / "audit-1.1.jsonl", tmp_path / "audit-1.2.jsonl"
    first.write_bytes(call(1) + b"\n")
    second.write_bytes(call(2) + b"\n" + call(3) + b"\n")
    at_work = shipper(tmp_path, records)
    at_work.turn()
    assert at_work.unshipped_bytes == len(call(3)) + 1
    first.unlink()
    second.unlink()
    with capture_logs() as told:
        at_work.turn()
        at_work.turn()

    assert told == [{"event": "audit.records_lost", "log_level": "error", "file": second.name, "bytes": len(call(3)) + 1}]
    assert records.places() == {}
    assert numbers(shipped(engine)) == [1, 2]


def test_old_records_and_those_too_many_are_deleted_in_small_steps(
    engine: Engine, records: SqlAuditRecords, worker: AuditLog, tmp_path: Path
) -> None:
    """By age, and by number: the oldest go first."""
    for number in range(10):
        worker.append(call(number))
    ship_all(tmp_path, records)

    assert records.prune(before=f"{NOON}:00.003", most=100, batch=2) == 2
    assert records.prune(before=f"{NOON}:00.003", most=100, batch=2) == 1
    assert numbers(shipped(engine)) == [3, 4, 5, 6, 7, 8, 9]
    shipper(tmp_path, records, Retention(age=timedelta(days=30), most_rows=4)).turn()
    assert numbers(shipped(engine)) == [6, 7, 8, 9]
    shipper(tmp_path, records, Retention(age=timedelta(hours=1), most_rows=4)).turn()
    assert shipped(engine) == []


def test_what_clients_choose_fits_into_the_database(records: SqlAuditRecords, worker: AuditLog, tmp_path: Path) -> None:
    """A record that could not be kept would keep back all that come after it."""
    number = "PSDDE-\0" + "x" * 10_000
    worker.append(call(1, tpp=number, path="/\0"))
    worker.append(call(2, tpp=number[:-1]))
    ship_all(tmp_path, records)
    assert numbers(Look(tmp_path, AuditFilter(tpp=number), shipped=records).newest(9)) == [1]

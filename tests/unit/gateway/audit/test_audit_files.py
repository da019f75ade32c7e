"""Audit files: nothing written is lost, and what is read is the newest, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from gateway.audit.log import AuditLog, AuditUnavailable
from gateway.audit.reader import AuditFilter, newest_records

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024


def line(number: int, **more: str) -> bytes:
    return orjson.dumps({"ts": f"2026-01-01T00:00:{number:06}Z", "number": number, **more})


def numbers(records: list[dict[str, object]]) -> list[object]:
    return [record["number"] for record in records]


def test_each_worker_takes_a_file_of_its_own_and_a_gone_workers_file_is_taken_again(tmp_path: Path) -> None:
    """Two at a time have two files; the lock ends with its holder."""
    first = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    second = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    assert {first.path.name, second.path.name} == {"audit-1.jsonl", "audit-2.jsonl"}
    first.close()
    third = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    assert third.path.name == "audit-1.jsonl"
    second.close()
    third.close()


def test_only_the_gateway_may_read_the_audit_trail(tmp_path: Path) -> None:
    """Who called whom is nobody else's business."""
    log = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    assert log.path.stat().st_mode & 0o777 == 0o600
    log.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The message says where."""
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditUnavailable, match="file"):
        AuditLog(tmp_path / "file" / "log", rotate_bytes=MEBIBYTE)


def test_a_full_file_is_put_aside_and_no_record_is_lost(tmp_path: Path) -> None:
    """Every record is found again, over several files."""
    log = AuditLog(tmp_path, rotate_bytes=1000)
    for number in range(60):
        log.append(line(number))
    log.close()
    assert len(list(tmp_path.glob("audit-1.*.jsonl"))) > 1
    assert numbers(newest_records(tmp_path, limit=100)) == list(reversed(range(60)))


def test_old_files_are_deleted(tmp_path: Path) -> None:
    """Eight are kept beside the live one."""
    log = AuditLog(tmp_path, rotate_bytes=100)
    for number in range(60):
        log.append(line(number))
    log.close()
    assert len(list(tmp_path.iterdir())) == 9


def test_the_newest_records_of_all_workers_come_first(tmp_path: Path) -> None:
    """Two workers' records interleave by time."""
    first, second = AuditLog(tmp_path, rotate_bytes=MEBIBYTE), AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    for number in range(10):
        (first if number % 3 else second).append(line(number))
    assert numbers(newest_records(tmp_path, limit=4)) == [9, 8, 7, 6]
    first.close()
    second.close()


def test_records_are_filtered(tmp_path: Path) -> None:
    """By TPP, outcome and reason, each and together."""
    log = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    log.append(line(1, tpp="A", outcome="refused", reason="mtls.expired"))
    log.append(line(2, tpp="B", outcome="refused", reason="mtls.expired"))
    log.append(line(3, tpp="A", outcome="admitted"))
    assert numbers(newest_records(tmp_path, limit=10, wanted=AuditFilter(tpp="A"))) == [3, 1]
    assert numbers(newest_records(tmp_path, limit=10, wanted=AuditFilter(reason="mtls.expired"))) == [2, 1]
    assert numbers(newest_records(tmp_path, limit=10, wanted=AuditFilter(tpp="A", outcome="refused"))) == [1]
    log.close()


def test_lines_longer_than_a_block_and_unreadable_lines_do_no_harm(tmp_path: Path) -> None:
    """A long record is put together from its blocks; a broken one is passed over."""
    path = tmp_path / "audit-1.jsonl"
    path.write_bytes(line(1) + b"\n" + line(2, long="x" * 200_000) + b"\n{broken\n[]\n" + line(3) + b"\n")
    assert numbers(newest_records(tmp_path, limit=10)) == [3, 2, 1]


def test_reading_stops_at_its_bound(tmp_path: Path) -> None:
    """A record beyond the last 32 MiB is not looked for."""
    filler = line(2, filler="x" * 1000) + b"\n"
    (tmp_path / "audit-1.jsonl").write_bytes(line(1, reason="rare") + b"\n" + filler * (34 * MEBIBYTE // len(filler)))
    assert newest_records(tmp_path, limit=1, wanted=AuditFilter(reason="rare")) == []

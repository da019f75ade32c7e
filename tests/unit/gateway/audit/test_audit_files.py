"""Audit files: nothing written is lost, and what is read is the newest, within bounds."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import orjson
import pytest

from gateway.audit import shipping, store, trail
from gateway.audit.log import AuditLog, AuditUnavailable
from gateway.audit.reader import AuditFilter, Cursor, Look
from gateway.audit.trail import Budget
from psd2.ids import new_time_ordered_uuid
from tests.support.audit_shipping import NOON, NOON_MILLISECONDS, ShippedLog, line, numbers

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

MEBIBYTE = 1024 * 1024


def newest_records(folder: Path, *, limit: int, wanted: AuditFilter | None = None) -> list[dict[str, object]]:
    return Look(folder, wanted or AuditFilter()).newest(limit)


@pytest.fixture(params=["in files", "half shipped", "shipped"])
def log(request: pytest.FixtureRequest, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> ShippedLog:
    """Lend the log of the test's folder, wherever its records are."""
    if request.param == "half shipped":
        monkeypatch.setattr(shipping, "BATCH", 2)
    return ShippedLog(tmp_path, engine, turns={"in files": 0, "half shipped": 1, "shipped": None}[request.param])


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


def test_as_many_full_files_are_kept_as_the_operator_says(tmp_path: Path) -> None:
    """The size of a file and their number bound what the log takes of the disk."""
    log = AuditLog(tmp_path, rotate_bytes=100, kept=3)
    for number in range(60):
        log.append(line(number))
    log.close()
    assert len(list(tmp_path.iterdir())) == 4
    assert numbers(newest_records(tmp_path, limit=1)) == [59]


def test_records_are_found_by_certificate(tmp_path: Path, log: ShippedLog) -> None:
    """The one that came in TLS, or the seal of the request; a hash that stands anywhere else is none of these."""
    first, second = "ab" * 32, "cd" * 32
    written = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    written.append(line(1, certificate={"sha256": first}))
    written.append(line(2, certificate={"sha256": second}, signature={"certificate": {"sha256": first}}))
    written.append(line(3, certificate=None, signature={"certificate": None}))
    written.append(line(4, told={"sha256": first}))
    written.close()
    assert numbers(log.newest(limit=10, wanted=AuditFilter(certificate=first))) == [2, 1]
    assert numbers(log.newest(limit=10, wanted=AuditFilter(certificate=second))) == [2]


def test_the_newest_records_of_all_workers_come_first(tmp_path: Path, log: ShippedLog) -> None:
    """Two workers' records interleave by time."""
    first, second = AuditLog(tmp_path, rotate_bytes=MEBIBYTE), AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    for number in range(10):
        (first if number % 3 else second).append(line(number))
    assert numbers(log.newest(limit=4)) == [9, 8, 7, 6]
    first.close()
    second.close()


def test_records_are_filtered(tmp_path: Path, log: ShippedLog) -> None:
    """By TPP, outcome and reason, each and together."""
    written = AuditLog(tmp_path, rotate_bytes=MEBIBYTE)
    written.append(line(1, tpp="A", outcome="refused", reason="mtls.expired"))
    written.append(line(2, tpp="B", outcome="refused", reason="mtls.expired"))
    written.append(line(3, tpp="A", outcome="admitted"))
    assert numbers(log.newest(limit=10, wanted=AuditFilter(tpp="A"))) == [3, 1]
    assert numbers(log.newest(limit=10, wanted=AuditFilter(reason="mtls.expired"))) == [2, 1]
    assert numbers(log.newest(limit=10, wanted=AuditFilter(tpp="A", outcome="refused"))) == [1]
    written.close()


def test_lines_longer_than_a_block_and_unreadable_lines_do_no_harm(tmp_path: Path, log: ShippedLog) -> None:
    """A long record is put together from its blocks; a broken one is passed over."""
    path = tmp_path / "audit-1.jsonl"
    path.write_bytes(line(1) + b"\n" + line(2, long="x" * 200_000) + b"\n{broken\n[]\n" + line(3) + b"\n")
    assert numbers(log.newest(limit=10)) == [3, 2, 1]


def big_log(folder: Path) -> None:
    """Write a rare record, and a mebibyte of others behind it."""
    filler = b"".join(line(number, filler="x" * 1000) + b"\n" for number in range(2, 1002))
    (folder / "audit-1.jsonl").write_bytes(line(1, reason="rare") + b"\n" + filler)


def test_reading_stops_when_its_bytes_are_spent_and_says_so(tmp_path: Path) -> None:
    """What lies further back is not looked for; the next look goes on from there."""
    big_log(tmp_path)
    look = Look(tmp_path, AuditFilter(reason="rare"), Budget(bytes_left=500_000, seconds=60))

    assert look.newest(1) == []
    assert not look.is_complete
    assert look.resumes_at is not None

    again = Look(tmp_path, AuditFilter(reason="rare", before=Cursor.parse(look.resumes_at)))
    assert numbers(again.newest(1)) == [1]
    assert again.is_complete


def test_reading_stops_when_its_time_is_spent(tmp_path: Path) -> None:
    """Whatever it has read by then."""
    big_log(tmp_path)
    ticks = iter(range(1000))
    look = Look(
        tmp_path, AuditFilter(reason="rare"), Budget(bytes_left=MEBIBYTE * 100, seconds=2, monotonic=lambda: next(ticks))
    )

    assert look.newest(1) == []
    assert not look.is_complete


def test_pages_follow_one_another_without_a_gap_or_a_repetition(tmp_path: Path, log: ShippedLog) -> None:
    """Over two workers and files put aside, also where several records were written in the same microsecond."""
    first, second = AuditLog(tmp_path, rotate_bytes=2_000), AuditLog(tmp_path, rotate_bytes=2_000)
    expected = []
    for number in range(100):
        request_id = new_time_ordered_uuid(NOON_MILLISECONDS + number)
        (first if number % 3 else second).append(line(number // 4, request_id=request_id))
        expected.append((line(number // 4)[7:39], request_id))
    seen: list[str] = []
    before = None
    while page := log.newest(7, AuditFilter(before=before)):
        seen += [str(record["request_id"]) for record in page]
        before = Cursor.of(page[-1])
    assert seen == [request_id for _, request_id in sorted(expected, reverse=True)]
    first.close()
    second.close()


@pytest.mark.parametrize("turns", [0, 1, 5, None], ids=["in files", "one batch", "half shipped", "shipped"])
@pytest.mark.parametrize("steps", [7, 9])
def test_looks_that_end_early_go_on_without_a_gap_or_a_repetition(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, turns: int | None, steps: int
) -> None:
    """Wherever a worker's files or the database were left, no other's record overtakes what was not read there."""
    monkeypatch.setattr(shipping, "BATCH", 10)
    monkeypatch.setattr(trail, "BLOCK_BYTES", 1_000)
    monkeypatch.setattr(trail, "_PROBE_BYTES", 200)
    monkeypatch.setattr(store, "_FIRST_PAGE", 5)
    monkeypatch.setattr(store, "_PAGE", 5)
    expected = two_workers(tmp_path)
    log = ShippedLog(tmp_path, engine, turns=turns)
    seen: list[str] = []
    before: Cursor | None = None
    for _ in range(200):
        look = log.look(AuditFilter(before=before), budget_of(steps))
        seen += [str(record["request_id"]) for record in look.newest(1_000)]
        if look.is_complete:
            break
        assert look.resumes_at is not None
        before = Cursor.parse(look.resumes_at)

    assert seen == expected


def test_a_look_that_could_read_nothing_goes_on_where_it_began(tmp_path: Path) -> None:
    """Not before it, where some were told already."""
    expected = two_workers(tmp_path)
    before = Cursor.of(newest_records(tmp_path, limit=50)[-1])
    look = Look(tmp_path, AuditFilter(before=before), budget_of(1))
    assert look.newest(10) == []
    assert look.resumes_at == str(before)
    assert before.request_id == expected[49]


def two_workers(folder: Path) -> list[str]:
    """Write two workers' files, one four times the other's; return the ids, newest first. Some are of the same moment."""
    lines: dict[int, list[bytes]] = {1: [], 2: []}
    expected = []
    for number in range(100):
        request_id = new_time_ordered_uuid(NOON_MILLISECONDS + number)
        lines[1 if number % 5 else 2].append(line(number // 3, request_id=request_id))
        expected.append((number // 3, request_id))
    for worker, written in lines.items():
        (folder / f"audit-{worker}.jsonl").write_bytes(b"\n".join(written) + b"\n")
    return [request_id for _, request_id in sorted(expected, reverse=True)]


def budget_of(steps: int) -> Budget:
    """Return a budget that ends after so many looks at its watch."""
    ticks = itertools.count()
    return Budget(bytes_left=MEBIBYTE * 100, seconds=steps, monotonic=lambda: next(ticks))


def test_what_came_since_is_found_without_reading_what_was_before(tmp_path: Path) -> None:
    """Polling costs what is new."""
    big_log(tmp_path)
    (tmp_path / "audit-1.jsonl").open("ab").write(line(5000) + b"\n")
    budget = Budget(bytes_left=300_000, seconds=60)

    look = Look(tmp_path, AuditFilter(since=Cursor(f"{NOON}:01.001000+00:00")), budget)

    assert numbers(look.newest(10)) == [5000]
    assert look.is_complete


def test_a_page_far_back_is_found_without_reading_what_came_after(tmp_path: Path) -> None:
    """By halving."""
    big_log(tmp_path)
    wanted = AuditFilter(before=Cursor(f"{NOON}:00.010000+00:00"))

    look = Look(tmp_path, wanted, Budget(bytes_left=300_000, seconds=60))

    assert numbers(look.newest(3)) == [9, 8, 7]


def test_one_record_is_found_by_its_id_which_tells_when_to_look(tmp_path: Path, log: ShippedLog) -> None:
    """Whatever came after; an id of nobody is not found, and is no error."""
    wanted = new_time_ordered_uuid(NOON_MILLISECONDS + 5)
    filler = b"".join(line(number, request_id=new_time_ordered_uuid(0)) + b"\n" for number in range(1000))
    (tmp_path / "audit-1.jsonl").write_bytes(line(4, request_id=wanted) + b"\n" + filler)

    found, _ = log.record_of(wanted)

    assert found is not None
    assert found["number"] == 4
    for nobody in (
        new_time_ordered_uuid(NOON_MILLISECONDS + 5),
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
        "",
        "../../etc/passwd",
    ):
        assert log.record_of(nobody) == (None, True)


def test_calls_are_found_by_a_part_of_method_and_path(tmp_path: Path, log: ShippedLog) -> None:
    """In any case of letters."""
    lines = [line(1, method="GET", path="/v1/accounts"), line(2, method="POST", path="/v1/consents")]
    (tmp_path / "audit-1.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    assert numbers(log.newest(limit=9, wanted=AuditFilter(text="post /v1"))) == [2]
    assert numbers(log.newest(limit=9, wanted=AuditFilter(text="ACCOUNTS"))) == [1]


def test_a_record_that_merely_names_a_tpp_is_not_that_tpps(tmp_path: Path, log: ShippedLog) -> None:
    """In its path, its certificate or its token: only the record's own member says whose it is."""
    quoted = orjson.dumps({"path": '/v1/"tpp":"A"', "certificate": {"tpp": "A"}, "token": {"tpp": "A"}, "ts": "x", "tpp": "B"})
    (tmp_path / "audit-1.jsonl").write_bytes(quoted + b"\n")

    assert log.newest(limit=9, wanted=AuditFilter(tpp="A")) == []

"""Audit records in the database, on both engines: what is found there is what is found in the files."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gateway.audit import shipping
from gateway.audit.reader import AuditFilter, Cursor, Look
from gateway.audit.store import Overtaken, SqlAuditRecords
from tests.support.audit_shipping import NOON, call, line, numbers, ship_all, shipped, shipper

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gateway.audit.shipping import Shipper
    from tests.support.databases import Databases

FIRST, SECOND = "11" * 32, "22" * 32
WANTED = [
    AuditFilter(),
    AuditFilter(tpp="PSDDE-A"),
    AuditFilter(tpp="PSDDE-A", outcome="refused"),
    AuditFilter(reason="mtls.expired"),
    AuditFilter(reason="mtls.expired", tpp="PSDDE-A"),
    AuditFilter(outcome="failed"),
    AuditFilter(text="post /V1"),
    AuditFilter(certificate=FIRST),
    AuditFilter(certificate=SECOND, outcome="refused"),
    AuditFilter(since=Cursor(f"{NOON}:00.100000+00:00"), before=Cursor(f"{NOON}:00.200000+00:00")),
    AuditFilter(tpp="PSDDE-B", before=Cursor(f"{NOON}:00.200000+00:00", "ffff")),
]


def calls(folder: Path) -> None:
    """Write two workers' files, with something of everything; several records bear the same time."""
    for worker in (1, 2):
        lines = [
            call(
                number // 3,
                outcome=("admitted", "refused", "failed")[number % 3],
                reason="mtls.expired" if number % 5 == 0 else None,
                tpp=f"PSDDE-{'AB'[number % 2]}",
                method=("GET", "POST")[number % 2],
                path="/v1/consents",
                certificate={"sha256": FIRST if number % 7 else SECOND},
                signature={"certificate": {"sha256": SECOND}} if number % 4 == 0 else {},
                worker=worker,
                place=number,
            )
            for number in range(900)
        ]
        lines.append(line(950 + worker, kind="handshake", tpp="PSDDE-\0" + "x" * 9_000))
        (folder / f"audit-{worker}.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def test_filters_and_pages_are_the_same_over_the_database(databases: Databases, tmp_path: Path) -> None:
    """Whether nothing, a part or all has been shipped."""
    calls(tmp_path)
    expected = [Look(tmp_path, wanted).newest(1_000) for wanted in WANTED]
    assert all(expected)
    with databases.opened("gateway") as engine:
        records, at_work, is_more = SqlAuditRecords(engine), None, True
        while is_more:
            for wanted, found in zip(WANTED, expected, strict=True):
                look = Look(tmp_path, wanted, shipped=records)
                assert look.newest(1_000) == found
                assert look.is_complete
            at_work = at_work or shipper(tmp_path, records)
            is_more = at_work.turn()
        assert len(shipped(engine)) == 2 * 901


def test_two_that_ship_the_same_files_keep_each_record_once(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old server that still ends beside the one that takes its place."""
    monkeypatch.setattr(shipping, "BATCH", 50)
    calls(tmp_path)
    with databases.opened("gateway") as engine:
        records = SqlAuditRecords(engine)
        workers = [threading.Thread(target=turns, args=(shipper(tmp_path, records),)) for _ in range(2)]
        for each in workers:
            each.start()
        for each in workers:
            each.join(timeout=60)
        ship_all(tmp_path, records)
        assert len(shipped(engine)) == 2 * 901
        assert set(records.places().values()) == {path.stat().st_size for path in tmp_path.iterdir()}


def turns(at_work: Shipper) -> None:
    for _ in range(15):
        try:
            at_work.turn()
        except Overtaken:
            continue


def test_old_and_too_many_records_are_deleted(databases: Databases, tmp_path: Path) -> None:
    (tmp_path / "audit-1.jsonl").write_bytes(b"".join(call(number) + b"\n" for number in range(10)))
    with databases.opened("gateway") as engine:
        records = SqlAuditRecords(engine)
        ship_all(tmp_path, records)
        assert records.prune(before=f"{NOON}:00.003", most=100, batch=2) == 2
        assert records.prune(before=f"{NOON}:00.003", most=5, batch=9) == 3
        assert numbers(shipped(engine)) == [5, 6, 7, 8, 9]

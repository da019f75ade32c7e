"""The audit of administrators: what was tampered with does not fit the chain any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import pytest
from sqlalchemy import delete, insert, select, update
from structlog.testing import capture_logs

from gateway.admin_audit import pruning
from gateway.admin_audit.actor import Actor, acting
from gateway.admin_audit.chain import ChainBroken, Head, verified_chain
from gateway.admin_audit.pruning import AdminAuditPruning
from gateway.admin_audit.record import MOST_FIELDS, AuditRecord
from gateway.admin_audit.store import SqlAdminAudit
from gateway.configuration.changes import Change
from gateway.tables.configuration import admin_audit
from psd2.clock import FixedClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from gateway.configuration.service import Configuration

_number = admin_audit.c.number
MOMENT = datetime(2026, 3, 2, 12, tzinfo=UTC)  # when everything is changed


@pytest.fixture
def chain(configuration: Configuration, engine: Engine) -> SqlAdminAudit:
    """Lend the audit of five changes."""
    for rate in range(1, 6):
        with acting(Actor("operator", f"person {rate}")):
            configuration.apply([Change(kind="plans", name="gold", body={"rate": rate})])
    return SqlAdminAudit(engine)


def test_a_change_is_recorded_with_who_made_it_and_what_it_changed(chain: SqlAdminAudit) -> None:
    """Newest first."""
    newest, *_, oldest = chain.newest(limit=10)

    assert (newest.number, newest.actor, newest.on_behalf_of) == (5, "operator", "person 5")
    assert (newest.action, newest.object_kind, newest.object_name) == ("replaced", "plans", "gold")
    assert newest.difference == '[{"field":"rate","before":4,"after":5}]'
    assert newest.at == "2026-03-02T12:00:00.000000+00:00"
    assert (oldest.number, oldest.action) == (1, "created")
    assert [record.number for record in chain.newest(limit=2, before=4)] == [3, 2]


def test_an_untouched_chain_is_verified(chain: SqlAdminAudit) -> None:
    """Also against a head that was noted earlier."""
    head = verified_chain(chain.chain()).head
    assert head.number == 5
    third = next(record for record in chain.chain() if record.number == 3)
    assert verified_chain(chain.chain(), expected=Head(3, third.sha256)).head == head
    assert Head.parse(str(head)) == head


def _rewritten(connection: Connection, of: int, /, **values: object) -> None:
    """Change a record and give it the hash that its new content has, as a careful forger would."""
    row = connection.execute(select(admin_audit).where(_number == of)).one()
    forged = AuditRecord(**(dict(row._mapping) | values))
    connection.execute(update(admin_audit).where(_number == of).values(**values, sha256=forged.expected_sha256))


def _swap(connection: Connection) -> None:
    first, second = connection.execute(select(admin_audit).where(_number.in_((2, 3))).order_by(_number)).all()
    connection.execute(delete(admin_audit).where(_number.in_((2, 3))))
    connection.execute(insert(admin_audit).values(**(dict(second._mapping) | {"number": 2})))
    connection.execute(insert(admin_audit).values(**(dict(first._mapping) | {"number": 3})))


TAMPERINGS: dict[str, tuple[Callable[[Connection], object], str]] = {
    "the first removed": (lambda db: db.execute(delete(admin_audit).where(_number == 1)), "record 1 is missing"),
    "one removed": (lambda db: db.execute(delete(admin_audit).where(_number == 3)), "record 3 is missing"),
    "one changed": (lambda db: db.execute(update(admin_audit).where(_number == 3).values(actor="x")), "record 3 was changed"),
    "one changed with its hash": (lambda db: _rewritten(db, 3, actor="x"), "record 4 does not follow record 3"),
    "two exchanged": (_swap, "record 2 was changed"),
    "a gap closed": (
        lambda db: (
            db.execute(delete(admin_audit).where(_number == 4)),
            _rewritten(db, 5, number=4),
        ),
        "record 4 does not follow record 3",
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found(chain: SqlAdminAudit, engine: Engine, tampering: str) -> None:
    """With the number of the record where the chain breaks."""
    tamper, complaint = TAMPERINGS[tampering]
    with engine.begin() as connection:
        tamper(connection)

    with pytest.raises(ChainBroken, match=complaint):
        verified_chain(chain.chain())


def test_records_cut_off_at_the_end_are_missed_by_whoever_noted_the_head(chain: SqlAdminAudit, engine: Engine) -> None:
    """As is a chain that was forged from end to end."""
    head = verified_chain(chain.chain()).head
    with engine.begin() as connection:
        connection.execute(delete(admin_audit).where(_number == 5))
    with pytest.raises(ChainBroken, match="the end was cut off"):
        verified_chain(chain.chain(), expected=head)

    last = verified_chain(chain.chain()).head
    with engine.begin() as connection:
        _rewritten(connection, 4, actor="x")
    with pytest.raises(ChainBroken, match="was rewritten"):
        verified_chain(chain.chain(), expected=last)


def test_the_head_is_told_in_the_log_with_each_change(configuration: Configuration, engine: Engine) -> None:
    """A dry run tells nothing, for it leaves nothing."""
    change = Change(kind="plans", name="gold", body={"rate": 1})
    with capture_logs() as log:
        configuration.apply([change], dry_run=True)
        configuration.apply([change])

    heads = [entry["head"] for entry in log if entry["event"] == "admin.changed"]
    assert heads == [str(verified_chain(SqlAdminAudit(engine).chain()).head)]


def test_what_is_long_is_kept_by_its_size_and_hash(configuration: Configuration, engine: Engine) -> None:
    """The history of the document has all of it, for as long as it is kept."""
    body = {"address": "/" + "x" * 10_000, "sans": [str(number) for number in range(2_000)]}
    configuration.apply([Change(kind="shops", name="a", body={"address": "/", "sans": []})])
    configuration.apply([Change(kind="shops", name="a", body=body)])

    newest, _ = SqlAdminAudit(engine).newest(limit=10)
    told = orjson.loads(newest.difference)
    assert told[0]["before"] == "/"
    assert told[0]["after"].startswith("(10003 bytes of JSON, SHA-256 ")
    assert told[-1] == {"field": f"and {2_001 - MOST_FIELDS} more"}
    assert len(newest.difference) < 20_000


@pytest.fixture
def pruned(configuration: Configuration, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> SqlAdminAudit:
    """Lend a chain of records 5 to 8: seven changes, of which four are pruned, two at a time."""
    monkeypatch.setattr(pruning, "BLOCK", 2)
    for rate in range(1, 7):
        configuration.apply([Change(kind="plans", name="gold", body={"rate": rate})])
    store = AdminAuditPruning(engine, FixedClock(MOMENT + timedelta(days=1)))
    assert [store.prune(MOMENT + timedelta(hours=1), 500) for _ in range(2)] == [2, 2]
    return SqlAdminAudit(engine)


def test_what_is_pruned_is_vouched_for_by_the_chain_itself(pruned: SqlAdminAudit) -> None:
    """The newest pruning says behind which record the chain goes on; heads from there on can still be checked."""
    records = list(pruned.chain())
    assert [record.number for record in records] == [5, 6, 7, 8]
    assert [(record.actor, record.action) for record in records[2:]] == [("gateway", "pruned")] * 2
    verified = verified_chain(records)
    assert (verified.head.number, verified.records, verified.pruned.number) == (8, 4, 4)
    assert verified_chain(records, expected=verified.pruned).head == verified.head
    assert verified_chain(records, expected=Head(6, records[1].sha256)).head == verified.head
    with pytest.raises(ChainBroken, match="record 2 was pruned: give the head of a later one"):
        verified_chain(records, expected=Head(2, "a" * 64))


PRUNED_TAMPERINGS: dict[str, tuple[Callable[[Connection], object], str]] = {
    "more gone than was pruned": (
        lambda db: db.execute(delete(admin_audit).where(_number == 5)),
        "begins behind record 5, yet it was pruned up to record 4",
    ),
    "the pruning gone": (lambda db: db.execute(delete(admin_audit).where(_number == 8)), "pruned up to record 2"),
    "both prunings gone": (lambda db: db.execute(delete(admin_audit).where(_number >= 7)), "no record says that they were"),
    "the pruning forged": (
        lambda db: db.execute(update(admin_audit).where(_number == 8).values(difference="[]")),
        "record 8 was changed",
    ),
    "the first kept one changed": (
        lambda db: _rewritten(db, 5, previous="a" * 64),
        "record 6 does not follow record 5",
    ),
}


@pytest.mark.parametrize("tampering", PRUNED_TAMPERINGS)
def test_tampering_with_a_pruned_chain_is_found(pruned: SqlAdminAudit, engine: Engine, tampering: str) -> None:
    tamper, complaint = PRUNED_TAMPERINGS[tampering]
    with engine.begin() as connection:
        tamper(connection)
    with pytest.raises(ChainBroken, match=complaint):
        verified_chain(pruned.chain())


def test_nothing_young_is_pruned(chain: SqlAdminAudit, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no block that is not full: what tells of prunings would be as much as they delete."""
    store = AdminAuditPruning(engine, FixedClock(MOMENT + timedelta(days=1)))
    assert store.prune(MOMENT + timedelta(hours=1), 500) == 0
    monkeypatch.setattr(pruning, "BLOCK", 2)
    assert store.prune(MOMENT, 500) == 0
    assert verified_chain(chain.chain()).records == 5


@pytest.mark.parametrize("text", ["", "5", "5:ab", ":" + "a" * 64, "x:" + "a" * 64, "5:" + "g" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    """With what would be one."""
    with pytest.raises(ValueError, match="NUMBER:SHA256"):
        Head.parse(text)

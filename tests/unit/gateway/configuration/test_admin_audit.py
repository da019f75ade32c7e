"""The audit of administrators: what was tampered with does not fit the chain any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest
from sqlalchemy import delete, insert, select, update
from structlog.testing import capture_logs

from gateway.admin_audit.actor import Actor, acting
from gateway.admin_audit.chain import ChainBroken, Head, verified_head
from gateway.admin_audit.record import MOST_FIELDS, AuditRecord
from gateway.admin_audit.store import SqlAdminAudit
from gateway.configuration.changes import Change
from gateway.database import admin_audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from gateway.configuration.service import Configuration

_number = admin_audit.c.number


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
    head = verified_head(chain.chain())
    assert head.number == 5
    third = next(record for record in chain.chain() if record.number == 3)
    assert verified_head(chain.chain(), expected=Head(3, third.sha256)) == head
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
        verified_head(chain.chain())


def test_records_cut_off_at_the_end_are_missed_by_whoever_noted_the_head(chain: SqlAdminAudit, engine: Engine) -> None:
    """As is a chain that was forged from end to end."""
    head = verified_head(chain.chain())
    with engine.begin() as connection:
        connection.execute(delete(admin_audit).where(_number == 5))
    with pytest.raises(ChainBroken, match="the end was cut off"):
        verified_head(chain.chain(), expected=head)

    last = verified_head(chain.chain())
    with engine.begin() as connection:
        _rewritten(connection, 4, actor="x")
    with pytest.raises(ChainBroken, match="was rewritten"):
        verified_head(chain.chain(), expected=last)


def test_the_head_is_told_in_the_log_with_each_change(configuration: Configuration, engine: Engine) -> None:
    """A dry run tells nothing, for it leaves nothing."""
    change = Change(kind="plans", name="gold", body={"rate": 1})
    with capture_logs() as log:
        configuration.apply([change], dry_run=True)
        configuration.apply([change])

    heads = [entry["head"] for entry in log if entry["event"] == "admin.changed"]
    assert heads == [str(verified_head(SqlAdminAudit(engine).chain()))]


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


@pytest.mark.parametrize("text", ["", "5", "5:ab", ":" + "a" * 64, "x:" + "a" * 64, "5:" + "g" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    """With what would be one."""
    with pytest.raises(ValueError, match="NUMBER:SHA256"):
        Head.parse(text)

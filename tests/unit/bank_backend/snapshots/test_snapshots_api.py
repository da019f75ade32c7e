"""A tenant's whole state, kept under a name and put back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from bank_backend.database import METADATA
from bank_backend.snapshots.model import MOST_SNAPSHOTS, ReplacementKind
from bank_backend.snapshots.ownership import UnownedTable, owned_tables
from bank_backend.snapshots.state_store import SqlStateStore
from bank_backend.snapshots.tables import replacements
from tests.support.bank_core import ANNA, NOW, OTHER_TENANT, TENANT
from tests.support.bank_sca import Tpp

if TYPE_CHECKING:
    from sqlalchemy import TextClause

    from bank_backend.snapshots.model import TenantState
    from psd2.ids import TenantId
    from tests.support.bank_core import SeededBank
    from tests.support.bank_sca import BankDesk

SNAPSHOTS = "/sandbox/v1/snapshots"


def take(desk: BankDesk, name: str = "before") -> None:
    answer = desk.tpp.post(SNAPSHOTS, {"name": name})
    assert answer.status_code == 201, answer.text


def restore(desk: BankDesk, name: str = "before") -> Any:
    answer = desk.tpp.post(f"{SNAPSHOTS}/{name}/restore")
    assert answer.status_code == 200, answer.text
    return answer.json


def state(bank: SeededBank, tenant: TenantId = TENANT) -> TenantState:
    with bank.database.reading() as connection:
        return SqlStateStore().read(connection, tenant)


def everything(bank: SeededBank, tenant: TenantId = TENANT) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(table.rows, key=repr) for name, table in state(bank, tenant).tables.items()}


def do_something(desk: BankDesk) -> None:
    """Change consents, authorisations, interactions, payments and the ledger."""
    desk.approved_consent()
    payment = desk.payment()
    assert desk.decide(desk.begin("pis", payment)).status_code == 200


def test_a_restore_brings_everything_back(desk: BankDesk) -> None:
    """Row by row, in every table that a tenant has; the other tenant keeps what it did meanwhile."""
    do_something(desk)
    take(desk)
    before, others = everything(desk.bank), everything(desk.bank, OTHER_TENANT)
    do_something(desk)
    assert everything(desk.bank) != before

    outcome = restore(desk)

    assert everything(desk.bank) == before
    assert everything(desk.bank, OTHER_TENANT) == others
    assert outcome["rowsRemoved"] > 0
    with desk.bank.database.reading() as connection:
        assert desk.bank.services.ledger.reconcile(connection).is_right


def test_the_same_again_touches_nothing(desk: BankDesk) -> None:
    """What is as it was stays where it is."""
    take(desk)

    outcome = restore(desk)

    assert (outcome["rowsRemoved"], outcome["rowsWritten"]) == (0, 0)


def test_a_restore_after_everything_has_changed(desk: BankDesk) -> None:
    """From nothing to everything, and back to nothing: the whole of it is written anew."""
    take(desk, "full")
    before = everything(desk.bank)
    empty = state(desk.bank)
    for table in empty.tables.values():
        table.rows.clear()  # type: ignore[attr-defined] # a list
    desk.bank.services.test_data.snapshots.put(TENANT, empty, kind=ReplacementKind.IMPORT, source="nothing", tenant_time=None)
    assert not any(everything(desk.bank).values())

    restore(desk, "full")

    assert everything(desk.bank) == before


def test_what_was_made_since_is_unknown(desk: BankDesk) -> None:
    """A consent that the snapshot doesn't know answers as one never made, and its token opens nothing."""
    take(desk)
    consent = desk.approved_consent()
    reader = desk.reader(consent)
    assert reader.get("/v1/accounts", Consent_ID=consent).status_code == 200

    restore(desk)

    assert desk.tpp.get(f"/v1/consents/{consent}").status_code == 403
    answer = reader.get("/v1/accounts", Consent_ID=consent)
    assert answer.status_code == 400
    assert answer.json["tppMessages"][0]["code"] == "CONSENT_UNKNOWN"  # type: ignore[index]


def test_a_restore_brings_its_own_time_back(desk: BankDesk) -> None:
    """However far the clock was put forward since, and however much real time has passed."""
    desk.tpp.post("/sandbox/v1/clock/advance", {"by": "P10D"})
    take(desk)
    kept = desk.bank.services.clock.now(TENANT)
    desk.tpp.post("/sandbox/v1/clock/advance", {"by": "P100D"})
    desk.bank.clock.advance(timedelta(days=30, milliseconds=500))

    outcome = restore(desk)

    shown = desk.bank.services.clock.now(TENANT)
    assert kept <= shown < kept + timedelta(seconds=1)
    assert outcome["clock"] == shown.isoformat(timespec="seconds")
    assert desk.bank.services.clock.now(OTHER_TENANT) == desk.bank.clock.now()


def test_snapshots_are_listed_and_deleted(desk: BankDesk) -> None:
    """With when they were taken, what the clock showed, and how much they are."""
    take(desk, "one")
    take(desk, "two")

    listed: Any = desk.tpp.get(SNAPSHOTS).json
    assert [one["name"] for one in listed["snapshots"]] == ["one", "two"]
    assert listed["snapshots"][0]["takenAt"] == NOW.isoformat(timespec="seconds")
    assert listed["snapshots"][0]["rows"] == state(desk.bank).size
    assert desk.tpp.delete(f"{SNAPSHOTS}/one").status_code == 204
    assert desk.tpp.get(f"{SNAPSHOTS}/one").status_code == 404
    assert desk.tpp.delete(f"{SNAPSHOTS}/one").status_code == 404
    assert desk.tpp.post(f"{SNAPSHOTS}/one/restore").status_code == 404


def test_snapshots_of_another_tenant_are_unknown(desk: BankDesk) -> None:
    """Neither listed nor restored nor deleted, by whatever name."""
    take(desk, "mine")
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    assert stranger.get(SNAPSHOTS).json == {"snapshots": []}
    for answer in (
        stranger.get(f"{SNAPSHOTS}/mine"),
        stranger.post(f"{SNAPSHOTS}/mine/restore"),
        stranger.delete(f"{SNAPSHOTS}/mine"),
    ):
        assert answer.status_code == 404
    assert desk.tpp.get(f"{SNAPSHOTS}/mine").status_code == 200


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "-x", "a" * 65, "é"], ids=["none", "blank", "path", "hyphen", "long", "accent"]
)
def test_a_name_that_is_none_is_refused(desk: BankDesk, name: str) -> None:
    answer = desk.tpp.post(SNAPSHOTS, {"name": name})

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == ["name"]  # type: ignore[index]


def test_a_name_is_taken_once_and_there_are_so_many(desk: BankDesk) -> None:
    take(desk, "one")
    assert desk.tpp.post(SNAPSHOTS, {"name": "one"}).json["code"] == "snapshot.exists"  # type: ignore[index]
    for number in range(MOST_SNAPSHOTS - 1):
        take(desk, f"more-{number}")

    answer = desk.tpp.post(SNAPSHOTS, {"name": "too-many"})

    assert (answer.status_code, answer.json["code"]) == (409, "snapshot.limit")  # type: ignore[index]


def test_each_replacement_leaves_its_record(desk: BankDesk) -> None:
    """Who may delete from an append-only ledger has to say so."""
    take(desk)
    do_something(desk)
    restore(desk)

    with desk.bank.database.reading() as connection:
        (record,) = connection.execute(select(replacements)).all()
    assert (record.tenant, record.kind, record.source, record.open) == (TENANT, "restore", "before", None)
    assert record.removed > 0


def test_without_a_record_the_ledger_keeps_every_row(bank: SeededBank) -> None:
    """And one that is open for another tenant opens nothing."""
    account = bank.account(ANNA)
    delete = text("DELETE FROM postings WHERE account_id = :id").bindparams(id=account.id)
    with pytest.raises(DBAPIError, match="append-only"):
        _inside_a_replacement(bank, OTHER_TENANT, delete)


def test_a_record_that_is_left_open_is_never_committed(bank: SeededBank) -> None:
    """The database itself refuses: the guards can't be opened for good."""
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        _inside_a_replacement(bank, TENANT, text("SELECT 1"))


def test_even_a_replacement_changes_no_row_of_the_ledger(bank: SeededBank) -> None:
    """Rows go and come; what stands in one never changes."""
    with pytest.raises(DBAPIError, match="append-only"):
        _inside_a_replacement(bank, TENANT, text("UPDATE postings SET amount_minor = 0"))


def _inside_a_replacement(bank: SeededBank, tenant: str, statement: TextClause) -> None:
    """Open the guards for a tenant, run a statement, and leave them open."""
    record = {"id": "r", "tenant": tenant, "at": 0, "kind": "reset", "source": "", "removed": 0, "written": 0, "open": "r"}
    with bank.database.writing() as connection:
        connection.execute(insert(replacements).values(record))
        connection.execute(statement)


def test_every_table_has_an_owner() -> None:
    """A table that a snapshot would forget can't be made: this is where its author learns it."""
    assert len(owned_tables(METADATA)) >= 18


def test_a_table_of_nobody_is_found() -> None:
    metadata = type(METADATA)()
    Table("orphans", metadata)

    with pytest.raises(UnownedTable, match="orphans"):
        owned_tables(metadata)

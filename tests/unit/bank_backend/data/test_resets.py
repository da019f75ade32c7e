"""Resets of later days: the books are turned back to their bookmark, and the story goes on from there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import delete, select

from bank_backend.ledger.tables import postings
from bank_backend.personas.bookmark_store import bookmarks
from bank_backend.snapshots.state_store import SqlStateStore
from tests.support.bank_core import ANNA, NOW, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.personas.bookmark import Bookmark
    from bank_backend.personas.service import Seed
    from bank_backend.snapshots.model import TableRows
    from bank_backend.tenants.model import Registration
    from tests.support.bank_sca import BankDesk

DATA, SNAPSHOTS = "/sandbox/v1/data", "/sandbox/v1/snapshots"


def reset(desk: BankDesk, **body: object) -> dict[str, Any]:
    answer = desk.tpp.post(f"{DATA}/reset", body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json  # type: ignore[assignment] # it is JSON
    return told


def exported(desk: BankDesk) -> bytes:
    data: bytes = desk.tpp.get(f"{DATA}/export?format=json").data
    return data


def rows(desk: BankDesk) -> Mapping[str, TableRows]:
    with desk.bank.database.reading() as connection:
        return SqlStateStore().read(connection, TENANT).tables


def require_as_made_anew(desk: BankDesk) -> None:
    """Without a bookmark all of it is planned and written: row for row the same, the bookmark too."""
    before = rows(desk)
    with desk.bank.database.writing() as connection:
        connection.execute(delete(bookmarks).where(bookmarks.c.tenant == TENANT))
    assert reset(desk)["rowsRemoved"] > 1_000
    assert rows(desk) == before


def pay(desk: BankDesk) -> None:
    assert desk.decide(desk.begin("pis", desk.payment())).status_code == 200


def require_right(desk: BankDesk) -> None:
    with desk.bank.database.reading() as connection:
        assert desk.bank.services.ledger.reconcile(connection).findings == []


def test_a_later_day_of_the_month_adds_what_has_happened_since(desk: BankDesk) -> None:
    """It is as if the tenant were registered that day; what was paid, or booked by itself, meanwhile is gone."""
    pay(desk)
    account = desk.bank.account(ANNA)
    desk.bank.clock.advance(timedelta(days=1))
    assert desk.bank.services.scheduler.run_due(TENANT) > 0

    done = reset(desk)

    assert 100 < done["rowsRemoved"] < 300
    assert 20 < done["rowsWritten"] < 300
    assert desk.bank.account(ANNA) == account
    require_right(desk)
    require_as_made_anew(desk)


def test_a_new_month_begins_with_other_balances_brought_forward(desk: BankDesk) -> None:
    """The first reset makes everything anew, those after it go on from there."""
    desk.bank.clock.advance(timedelta(days=20))

    first = reset(desk)
    pay(desk)
    desk.bank.clock.advance(timedelta(days=3))
    second = reset(desk)

    assert second["rowsRemoved"] < 100 < first["rowsRemoved"]
    require_right(desk)
    require_as_made_anew(desk)


def test_what_was_brought_in_is_never_taken_for_the_story(desk: BankDesk) -> None:
    """Under the story's own ids even: after an import everything is made anew."""
    before = exported(desk)
    lines = orjson.loads(before)
    lines["transactions"][7]["remittance"] = "Something else"
    assert desk.tpp.post(f"{DATA}/import", lines).status_code == 200
    assert b"Something else" in exported(desk)

    reset(desk)

    assert exported(desk) == before
    require_right(desk)


def test_a_snapshot_keeps_the_bookmark_of_its_books(desk: BankDesk) -> None:
    """A reset after its restore goes on from what was restored, whatever was there in between."""
    before = exported(desk)
    assert desk.tpp.post(SNAPSHOTS, {"name": "first"}).status_code == 201
    reset(desk, seed=8)
    assert desk.tpp.post(f"{SNAPSHOTS}/first/restore").status_code == 200
    pay(desk)

    done = reset(desk)

    assert done["rowsRemoved"] < 100
    assert exported(desk) == before
    require_right(desk)


def test_people_made_since_are_gone(desk: BankDesk) -> None:
    """Their books stood behind the others'."""
    before = exported(desk)
    assert desk.tpp.post(f"{DATA}/generate", {"seed": 3, "kinds": ["card", "retired"]}).status_code == 201

    reset(desk)

    assert exported(desk) == before
    require_right(desk)


def test_what_changed_while_the_story_was_thought_up_is_noticed(desk: BankDesk) -> None:
    """Another reset came first: the books no more stand where this one would have gone on."""
    before, bank = exported(desk), desk.bank.services.test_data.bank
    parts = bank._parts
    asked: list[bool] = []

    def interrupted(registration: Registration, seed: int, now: datetime, *, after: Bookmark | None = None) -> Seed:
        asked.append(after is not None)
        if len(asked) == 1:
            bank.reset(TENANT, seed=9)
        return parts.planner(registration, seed, now, after=after)

    type(bank)(replace(parts, planner=interrupted)).reset(TENANT)

    assert asked == [True, False]
    assert exported(desk) == before
    require_right(desk)


@pytest.mark.parametrize("days", [0, 1])
def test_the_books_up_to_the_bookmark_are_left_alone(desk: BankDesk, days: int) -> None:
    """Each posting that a reset leaves is the one that was there."""
    told = select(postings).where(postings.c.tenant == TENANT).order_by(postings.c.account_id, postings.c.number)
    with desk.bank.database.reading() as connection:
        before = connection.execute(told).all()
    pay(desk)
    desk.bank.clock.advance(timedelta(days=days))

    reset(desk)

    with desk.bank.database.reading() as connection:
        after = connection.execute(told).all()
    assert set(before) <= set(after)
    assert {row.booking_date for row in set(after) - set(before)} <= {NOW.date(), (NOW + timedelta(days=days)).date()}

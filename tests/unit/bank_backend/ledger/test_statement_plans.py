"""How the database finds a page of a statement: along an index, from the place on, whatever the book's size."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.ledger import statement_store
from tests.support.bank_core import ANNA, TENANT, SeededBank

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

DAYS = "ix_postings_account_id_booking_date"
NUMBERS = {"sqlite": "sqlite_autoindex_postings_1", "postgresql": "pk_postings"}
WAYS = ("newest", "oldest", "older", "newer")


def plan_of(connection: Connection, statement: Select[Any], account: str) -> str:
    """Return what the database would do, of a book that has grown too large to be read whole or sorted."""
    values = {
        "tenant": TENANT,
        "account": account,
        "since": date(2026, 1, 1),
        "until": date(2026, 11, 18),
        "after_number": 5,
        "newest_number": 100,
        "place_date": date(2026, 10, 1),
        "place_number": 50,
        "most": 101,
    }
    bound = statement.params({name: value for name, value in values.items() if name in statement.compile().params})
    text = str(bound.compile(connection, compile_kwargs={"literal_binds": True}))
    if connection.dialect.name == "sqlite":
        return "\n".join(row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    for way in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by", ["day", "number"])
def test_a_page_is_read_along_an_index_in_its_order(bank: SeededBank, by: str, way: str) -> None:
    """Neither is anything sorted nor what lies before the page read."""
    pages = {"day": statement_store._BY_DAY, "number": statement_store._BY_NUMBER}[by]
    with bank.database.reading() as connection:
        plan = plan_of(connection, getattr(pages, way), bank.account(ANNA).id)
        index = DAYS if by == "day" else NUMBERS[connection.dialect.name]

    assert index in plan, plan
    assert [each for each in ("TEMP B-TREE", "SCAN postings", "Sort", "Seq Scan") if each in plan] == [], plan

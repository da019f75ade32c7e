"""A tenant's schedule as its TPP sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bank_backend.schedule.store import scheduled_tasks
from tests.support.bank_core import NOW, OTHER_TENANT, TENANT

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_the_schedule_tells_what_is_ahead_and_what_has_failed(desk: BankDesk) -> None:
    """The next task first; another tenant's is not there."""
    with desk.bank.database.writing() as connection:
        connection.execute(scheduled_tasks.delete())
        for tenant, resource, hours in ((TENANT, "later", 2), (TENANT, "overdue", 0), (OTHER_TENANT, "theirs", 1)):
            due = (NOW + timedelta(hours=hours)).timestamp()
            # Of a kind that nobody here does, as newer code may have left it.
            row = {
                "tenant": tenant,
                "kind": "future",
                "resource": resource,
                "due_at": due,
                "failures": 0,
                "retry_at": 0,
                "error": "",
            }
            connection.execute(scheduled_tasks.insert().values(row))
    desk.bank.services.scheduler.run_due(TENANT)

    told: Any = desk.tpp.get("/sandbox/v1/schedule").json

    assert told["tasks"] == [
        {
            "kind": "future",
            "resource": "overdue",
            "due": "2026-11-18T10:26:00+00:00",
            "failures": 1,
            "error": "LookupError: nothing here does 'future'",
            "retryAt": "2026-11-18T10:26:01+00:00",
        },
        {"kind": "future", "resource": "later", "due": "2026-11-18T12:26:00+00:00"},
    ]

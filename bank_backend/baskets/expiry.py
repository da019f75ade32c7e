"""Baskets lapse by themselves: a task at the moment they do, besides what every reading finds out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.baskets.model import Basket
    from bank_backend.baskets.service import BasketStore
    from bank_backend.database import Connection
    from psd2.ids import TenantId


class Reminders(Protocol):
    """The part of the schedule that baskets need."""

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have a task done at `due` of the tenant's time."""


class BasketExpiry:
    """Rejects baskets that nobody has authorised in time; `run` is the schedule's task."""

    def __init__(self, store: BasketStore, *, schedule: Reminders) -> None:
        """Reject the baskets in `store`, reminded by `schedule`."""
        self._store = store
        self._schedule = schedule

    def plan(self, connection: Connection, basket: Basket) -> None:
        """Have the basket looked at when its time is up."""
        self._schedule.add(
            connection, tenant=basket.tenant, kind=TaskKind.EXPIRE_BASKET, resource=basket.id, due=basket.decide_by
        )

    def run(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Reject the basket if its time is up by now; one that has been decided on is left as it is."""
        basket = self._store.find_locked(connection, tenant, resource)
        if basket is not None and basket.is_undecided:
            self._store.save(connection, basket.settled(due))

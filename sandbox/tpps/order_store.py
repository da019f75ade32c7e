"""Forms that were sent, in SQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading
from sandbox.database import issuing_orders

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Engine

    from sandbox.tpps.orders import Order

_KEPT: Final = timedelta(days=1)


class SqlOrderStore:
    """`sandbox.tpps.orders.OrderStore` over an engine whose schema is current."""

    def __init__(self, engine: Engine) -> None:
        """Read and write through this engine."""
        self._engine = engine
        self._reading = for_reading(engine)

    def begin(self, order: Order, *, at: datetime) -> bool:
        """Note that the form has come; return False where it had come before. What is a day old is forgotten."""
        row = {"authorisation_number": order.authorisation_number, "form": order.form, "at": at.timestamp()}
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(issuing_orders).where(issuing_orders.c.at < (at - _KEPT).timestamp()))
                connection.execute(insert(issuing_orders).values(row))
        except IntegrityError:
            return False
        return True

    def finish(self, order: Order, serial: str) -> None:
        """Note what was issued."""
        with self._engine.begin() as connection:
            connection.execute(update(issuing_orders).where(_is(order)).values(serial=serial))

    def forget(self, order: Order) -> None:
        """Take back that it came: nothing was issued."""
        with self._engine.begin() as connection:
            connection.execute(delete(issuing_orders).where(_is(order)))

    def serial(self, order: Order) -> str | None:
        """Return what was issued."""
        with self._reading.connect() as connection:
            return connection.execute(select(issuing_orders.c.serial).where(_is(order))).scalar_one_or_none()


def _is(order: Order) -> ColumnElement[bool]:
    return (issuing_orders.c.authorisation_number == order.authorisation_number) & (issuing_orders.c.form == order.form)

"""A page of 100 transactions as its account's book grows: `python -m benchmarks.pages [SMALL-URL LARGE-URL]`.

One database gets 1,000 movements, the other 1,000,000, of a tenant of the benchmark's own: name none that is in use. Without
any it is SQLite.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, text

from bank_backend.app import create_app
from bank_backend.bootstrap import create_services
from bank_backend.config import BankSettings
from bank_backend.database import Database
from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.ledger.tables import postings
from bank_backend.tenants.model import Registration
from chassis.sql.database import migrate, open_engine
from psd2.clock import FixedClock
from psd2.ids import PsuId, TenantId
from psd2.roles import PspRole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Flask

    from bank_backend.accounts.model import Account
    from bank_backend.database import Connection
    from bank_backend.services import Services

SIZES: Final = (1_000, 1_000_000)
REQUESTS: Final = 500
_AT_ONCE: Final = 20_000
_TENANT, _PSU = TenantId("PSDDE-BAFIN-900901"), PsuId("nora.novak")
_NOW: Final = datetime(2026, 11, 18, 10, tzinfo=UTC)
_FIRST_DAY: Final = date(2016, 1, 1)


@dataclass(frozen=True)
class Figure:
    """Milliseconds of one kind of page."""

    p50: float
    p99: float


class Bench:
    """A bank with one account whose book grows."""

    def __init__(self, url: str) -> None:
        """Make the schema and a tenant; the empty account of a persona is the one that grows."""
        engine = open_engine(url)
        migrate(engine, "bank_backend")
        self.database = Database(engine)
        settings = BankSettings.model_validate({"database": url})
        self.services: Services = create_services(settings, self.database, FixedClock(_NOW))
        registration = Registration(tenant=_TENANT, name="Bench", country="DE", roles=frozenset({PspRole.AI}), seed=1)
        self.services.tenants.register(registration)
        self.account: Account = self.services.accounts.accounts_of(_TENANT, _PSU)[0]
        self.app: Flask = create_app(self.services)
        self.consent = self._consent()
        self._outside, self.size = self._position(), 0

    def grow(self, size: int) -> None:
        """Book so many movements, a few hundred a day."""
        for first in range(0, size, _AT_ONCE):
            self._book(range(first, min(first + _AT_ONCE, size)))
        self.size = size
        with self.database.engine.begin() as connection:
            # What a database does by itself sooner or later.
            connection.execute(text("ANALYZE"))

    def kinds(self) -> dict[str, Callable[[], str]]:
        """Return what makes the address of each kind of page."""
        transactions = f"/v1/accounts/{self.account.id}/transactions?bookingStatus=booked"
        period = f"{transactions}&dateFrom={_FIRST_DAY}"
        places = random.Random(7)  # noqa: S311 - which pages are read protects nothing

        def anywhere() -> str:
            number = places.randint(101, self.size)
            return f"{period}&page=older.{_day_of(number)}.{number}"

        return {
            "first page": lambda: period,
            "any page": anywhere,
            "last page": lambda: f"{period}&page=last",
            "delta": lambda: f"{transactions}&entryReferenceFrom={self.size - 100}",
        }

    def seconds(self, path: str) -> float:
        """Return how long an answer takes."""
        headers = {
            "X-Request-ID": str(uuid.uuid4()),
            "Consent-ID": self.consent,
            "PSU-IP-Address": "192.0.2.7",
            "X-Sandbox-Listener": "edge",
            "X-Sandbox-Tpp": _TENANT,
            "X-Sandbox-Client": _TENANT,
            "X-Sandbox-Roles": "PSP_AI",
            "X-Sandbox-Scope": f"AIS:{self.consent}",
            "X-Sandbox-Subject": _PSU,
        }
        began = time.perf_counter()
        answer = self.app.test_client().get(path, headers=headers, environ_overrides={"chassis.caller": "gateway"})
        spent = time.perf_counter() - began
        if answer.status_code != 200:
            sys.exit(f"{path}: {answer.status_code} {answer.text[:300]}")
        return spent

    def _consent(self) -> str:
        body = {
            "access": {"allPsd2": "allAccounts"},
            "recurringIndicator": True,
            "validUntil": "9999-12-31",
            "frequencyPerDay": 4,
        }
        client, gateway = self.app.test_client(), {"chassis.caller": "gateway"}
        headers = {
            "X-Request-ID": str(uuid.uuid4()),
            "PSU-IP-Address": "192.0.2.7",
            "X-Sandbox-Listener": "edge",
            "X-Sandbox-Tpp": _TENANT,
            "X-Sandbox-Roles": "PSP_AI",
        }
        consent = client.post("/v1/consents", json=body, headers=headers, environ_overrides=gateway).json["consentId"]  # type: ignore[index]
        visit = {
            "tenant": _TENANT,
            "kind": "ais",
            "resource": consent,
            "client_id": _TENANT,
            "client_name": "Bench",
            "return_url": "https://localhost:8441/authorize/resume/x",
        }
        interaction = client.post("/internal/interactions", json=visit, environ_overrides=gateway).json["interaction"]  # type: ignore[index]
        decision = {"psu": _PSU, "result": "APPROVED"}
        client.post(f"/internal/interactions/{interaction}/decision", json=decision, environ_overrides=gateway)
        return str(consent)

    def _book(self, numbers: range) -> None:
        outside, currency = own_account_id(_TENANT, self.account.currency), self.account.currency
        ids = [str(uuid.uuid4()) for _ in numbers]
        lines = []
        for entry, place in zip(ids, numbers, strict=True):
            number, day = place + 1, _day_of(place + 1).isoformat()
            lines.append((self.account.id, number, entry, _TENANT, 1, currency, number, day, day))
            lines.append(
                (outside, self._outside[0] + number, entry, _TENANT, -1, currency, self._outside[1] - number, day, day)
            )
        with self.database.engine.begin() as connection:
            _copy(connection, "entries", _ENTRY_COLUMNS, [(one, *_ENTRY) for one in ids])
            _copy(connection, "postings", _POSTING_COLUMNS, lines)

    def _position(self) -> tuple[int, int]:
        outside = own_account_id(_TENANT, self.account.currency)
        statement = select(postings.c.number, postings.c.balance_minor).where(postings.c.account_id == outside)
        with self.database.reading() as connection:
            row = connection.execute(statement.order_by(postings.c.number.desc()).limit(1)).first()
        return (0, 0) if row is None else (row.number, row.balance_minor)


_ENTRY_COLUMNS: Final = (
    "id, tenant, at, debtor_name, debtor_iban, creditor_name, creditor_iban, remittance, code, "
    "end_to_end_id, mandate_id, creditor_id"
)
_ENTRY: Final = (
    *(_TENANT, _NOW.timestamp(), "Somebody Else", "DE02100100109307118603", "Nora Novak", ""),
    *("Movement of a benchmark", "PMNT-RCDT-ESCT", "NOTPROVIDED", "", ""),
)
_POSTING_COLUMNS: Final = (
    "account_id, number, entry_id, tenant, amount_minor, currency, balance_minor, booking_date, value_date"
)


def _copy(connection: Connection, table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Write rows as fast as the database can."""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(rows[0]))
        connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(rows))  # noqa: S608 - constants
        return
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:  # type: ignore[union-attr]
        for row in rows:
            copy.write_row(row)


def _day_of(number: int) -> date:
    return _FIRST_DAY + timedelta(days=number * 3_900 // SIZES[-1])


def _figure(seconds: list[float]) -> Figure:
    # The first ones warm up.
    told = sorted(one * 1000 for one in seconds[20:])
    return Figure(statistics.median(told), told[int(len(told) * 0.99)])


def _compare(urls: tuple[str, str]) -> None:
    """Ask both in turn, so that whatever else the machine does is shared."""
    benches = [Bench(url) for url in urls]
    for bench, size in zip(benches, SIZES, strict=True):
        began = time.monotonic()
        bench.grow(size)
        print(f"{bench.database.engine.dialect.name}: {size:,} movements loaded in {time.monotonic() - began:.0f} s")
    print(f"milliseconds for a page of 100, {REQUESTS} requests each")
    print(f"{'page':<12}{'p50':>8}{'p99':>8}{'p50':>10}{'p99':>8}{'p50 grows':>12}{'p99 grows':>12}")
    kinds = [bench.kinds() for bench in benches]
    for name in kinds[0]:
        taken: list[list[float]] = [[], []]
        for _ in range(REQUESTS):
            for place, bench in enumerate(benches):
                taken[place].append(bench.seconds(kinds[place][name]()))
        small, large = map(_figure, taken)
        row = f"{small.p50:>8.2f}{small.p99:>8.2f}{large.p50:>10.2f}{large.p99:>8.2f}"
        print(f"{name:<12}{row}{large.p50 / small.p50:>11.2f}x{large.p99 / small.p99:>11.2f}x")


def main() -> None:
    """Measure and print."""
    if len(sys.argv) > 1:
        _compare((sys.argv[1], sys.argv[2]))
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _compare((f"sqlite:///{Path(folder) / 'small.sqlite'}", f"sqlite:///{Path(folder) / 'large.sqlite'}"))


if __name__ == "__main__":
    main()

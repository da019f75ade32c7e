"""A page of 100 transactions as the account's book grows from 1,000 to 1,000,000: `python -m benchmarks.pages [DATABASE-URL…]`.

Each is filled with a tenant of the benchmark's own: name none that is in use. Without any, SQLite in a temporary folder.
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

from sqlalchemy import func, insert, select, text

from bank_backend.bootstrap import create_app, create_services
from bank_backend.config import BankSettings
from bank_backend.database import Database
from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.ledger.tables import entries, postings
from bank_backend.tenants.model import Registration
from chassis.database import migrate, open_engine
from psd2.clock import FixedClock
from psd2.ids import PsuId, TenantId
from psd2.roles import PspRole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

    from bank_backend.accounts.model import Account
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

    def grow(self, size: int) -> None:
        """Book movements, a few hundred a day, until the account has so many."""
        with self.database.reading() as connection:
            at = connection.execute(
                select(func.max(postings.c.number)).where(postings.c.account_id == self.account.id)
            ).scalar()
        start = int(at or 0)
        for first in range(start, size, _AT_ONCE):
            self._book(range(first, min(first + _AT_ONCE, size)))
        with self.database.engine.begin() as connection:
            # What a database does by itself sooner or later.
            connection.execute(text("ANALYZE"))

    def measure(self) -> dict[str, Figure]:
        """Return the figures of each kind of page."""
        base = f"/v1/accounts/{self.account.id}/transactions?bookingStatus=booked&dateFrom={_FIRST_DAY}"
        size = self._newest()
        places = random.Random(7)  # noqa: S311 - which pages are read protects nothing

        def deep() -> str:
            number = places.randint(101, size)
            return f"{base}&page=older.{self._day_of(number)}.{number}"

        kinds: dict[str, Callable[[], str]] = {
            "first page": lambda: base,
            "any page": deep,
            "last page": lambda: f"{base}&page=last",
            "delta": lambda: f"/v1/accounts/{self.account.id}/transactions?bookingStatus=booked&entryReferenceFrom={size - 50}",
        }
        return {name: _figure([self._seconds(path()) for _ in range(REQUESTS)]) for name, path in kinds.items()}

    def _seconds(self, path: str) -> float:
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

    def _newest(self) -> int:
        with self.database.reading() as connection:
            return self.services.books._statements.newest_number(connection, _TENANT, self.account.id)  # noqa: SLF001 - figures

    @staticmethod
    def _day_of(number: int) -> date:
        return _FIRST_DAY + timedelta(days=number * 3_900 // SIZES[-1])

    def _book(self, numbers: range) -> None:
        ids = [str(uuid.uuid4()) for _ in numbers]
        outside = own_account_id(_TENANT, self.account.currency)
        with self.database.engine.begin() as connection:
            connection.execute(insert(entries), [_entry(entry) for entry in ids])
            connection.execute(insert(postings), list(self._postings(ids, numbers, outside)))

    def _postings(self, ids: list[str], numbers: range, outside: str) -> Iterator[dict[str, object]]:
        base = self._outside_base
        for entry, place in zip(ids, numbers, strict=True):
            number, day = place + 1, self._day_of(place + 1)
            common = {
                "entry_id": entry,
                "tenant": _TENANT,
                "currency": self.account.currency,
                "booking_date": day,
                "value_date": day,
            }
            yield {"account_id": self.account.id, "number": number, "amount_minor": 1, "balance_minor": number, **common}
            number += base[0]
            yield {"account_id": outside, "number": number, "amount_minor": -1, "balance_minor": base[1] - place - 1, **common}

    @property
    def _outside_base(self) -> tuple[int, int]:
        if not hasattr(self, "_base"):
            outside = own_account_id(_TENANT, self.account.currency)
            statement = select(postings.c.number, postings.c.balance_minor).where(postings.c.account_id == outside)
            with self.database.reading() as connection:
                row = connection.execute(statement.order_by(postings.c.number.desc()).limit(1)).first()
            self._base = (0, 0) if row is None else (row.number, row.balance_minor)
        return self._base


def _entry(entry_id: str) -> dict[str, object]:
    return {
        "id": entry_id,
        "tenant": _TENANT,
        "at": _NOW.timestamp(),
        "debtor_name": "Somebody Else",
        "debtor_iban": "DE02100100109307118603",
        "creditor_name": "Nora Novak",
        "creditor_iban": "",
        "remittance": "Movement of a benchmark",
        "code": "PMNT-RCDT-ESCT",
        "end_to_end_id": "NOTPROVIDED",
        "mandate_id": "",
        "creditor_id": "",
    }


def _figure(seconds: list[float]) -> Figure:
    # The first ones warm up.
    told = sorted(one * 1000 for one in seconds[20:])
    return Figure(statistics.median(told), told[int(len(told) * 0.99)])


def _compare(url: str) -> None:
    bench = Bench(url)
    print(f"\n{bench.database.engine.dialect.name}: milliseconds for a page of 100, {REQUESTS} requests each")
    figures = {}
    for size in SIZES:
        began = time.monotonic()
        bench.grow(size)
        print(f"  {size:,} movements (loaded in {time.monotonic() - began:.0f} s)")
        figures[size] = bench.measure()
    print(f"  {'page':<12}{'p50':>8}{'p99':>8}{'p50':>10}{'p99':>8}{'p99 grows':>12}")
    for name in figures[SIZES[0]]:
        small, large = (figures[size][name] for size in SIZES)
        row = f"{small.p50:>8.2f}{small.p99:>8.2f}{large.p50:>10.2f}{large.p99:>8.2f}{large.p99 / small.p99:>11.2f}x"
        print(f"  {name:<12}{row}")


def main() -> None:
    """Measure on each database and print."""
    if len(sys.argv) > 1:
        for url in sys.argv[1:]:
            _compare(url)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _compare(f"sqlite:///{Path(folder) / 'bank.sqlite'}")


if __name__ == "__main__":
    main()

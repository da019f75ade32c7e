"""Keeps account keys, the progress of each certificate, and the answers to challenges; what is secret is sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading
from gateway.acme.model import OpenOrder, Progress
from gateway.admin_audit.record import Entry
from gateway.admin_audit.store import append_record
from gateway.changes.store import changing
from gateway.tables.acme import acme_accounts, acme_challenges, acme_progress

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement, Engine, Row

    from chassis.sealing import Seal

_MOST_FAILURE: Final = 1_000
MOST_CHALLENGES: Final = 5_000
_TIMES: Final = ("tried_at", "next_try_at", "leased_until", "obtained_at", "renew_at", "ask_at")


class SqlAcme:
    """All of it on SQLAlchemy Core."""

    def __init__(self, engine: Engine, seal: Seal) -> None:
        self._engine = engine
        self._reading = for_reading(engine)
        self._seal = seal

    # --- accounts ---

    def account_key(self, account: str, directory: str) -> tuple[str, str | None] | None:
        """Return an account's key in PEM and its address at the CA, if it has been made; raises `SealBroken`."""
        with self._reading.connect() as connection:
            row = connection.execute(select(acme_accounts).where(_account(account, directory))).one_or_none()
        if row is None:
            return None
        return self._seal.open(row.key, owner=_key_owner(account, directory)).decode("ascii"), row.url

    def keep_account_key(self, account: str, directory: str, key_pem: str, now: datetime) -> tuple[str, str | None]:
        """Keep a new key, unless there is one already; returns the one that counts, as `account_key` does."""
        sealed = self._seal.close(key_pem.encode("ascii"), owner=_key_owner(account, directory))
        try:
            with self._engine.begin() as connection:
                values = {"account": account, "directory": directory, "key": sealed, "made_at": now.timestamp()}
                connection.execute(insert(acme_accounts).values(**values))
        except IntegrityError:
            return self.account_key(account, directory) or (key_pem, None)
        return key_pem, None

    def note_account(self, account: str, directory: str, url: str | None) -> None:
        """Note where the CA keeps an account, None where it keeps none."""
        with self._engine.begin() as connection:
            connection.execute(update(acme_accounts).where(_account(account, directory)).values(url=url))

    # --- progress ---

    def progress(self, name: str) -> Progress:
        """Return how far a certificate has come."""
        with self._reading.connect() as connection:
            row = connection.execute(select(acme_progress).where(acme_progress.c.name == name)).one_or_none()
        return Progress(name=name) if row is None else _progress(row)

    def hasten(self, name: str, now: datetime) -> None:
        """Let the next try wait no longer, and record who has said so."""
        with changing(self._engine) as connection:
            connection.execute(update(acme_progress).where(acme_progress.c.name == name).values(next_try_at=None))
            entry = Entry(action="hastened", object_kind="acme-certificates", object_name=name, difference=[])
            append_record(connection, entry, now)

    def is_leased(self, name: str, *, until: datetime, now: datetime) -> bool:
        """Take a certificate on until then; tells whether nobody else has. Whoever dies with it leaves it at that time."""
        seconds = now.timestamp()
        mine = {"leased_until": until.timestamp()}
        is_free = acme_progress.c.leased_until.is_(None) | (acme_progress.c.leased_until <= seconds)
        try:
            with self._engine.begin() as connection:
                taken = connection.execute(update(acme_progress).where(acme_progress.c.name == name, is_free).values(**mine))
                if taken.rowcount == 1:
                    return True
                connection.execute(insert(acme_progress).values(name=name, wanted="", failures=0, **mine))
        except IntegrityError:
            return False  # somebody has it
        return True

    def note(self, progress: Progress) -> None:
        """Put down how far a certificate has come, and leave it to whoever comes next."""
        values: dict[str, Any] = {
            "wanted": progress.wanted,
            "failures": progress.failures,
            "failure": progress.failure[:_MOST_FAILURE] if progress.failure else None,
            "sha256": progress.sha256,
        }
        values |= {field: _seconds(getattr(progress, field)) for field in _TIMES}
        self._update(progress.name, values | {"leased_until": None})

    def open_order(self, name: str) -> OpenOrder | None:
        """Return the order that was placed and not brought to its end; raises `SealBroken`."""
        with self._reading.connect() as connection:
            row = connection.execute(select(acme_progress).where(acme_progress.c.name == name)).one_or_none()
        if row is None or row.order_url is None or row.order_key is None:
            return None
        key = self._seal.open(row.order_key, owner=_order_owner(name)).decode("ascii")
        return OpenOrder(directory=row.order_directory, url=row.order_url, key_pem=key)

    def keep_order(self, name: str, order: OpenOrder | None) -> None:
        """Keep an order for as long as it is open, so that a process that dies loses none."""
        values: dict[str, Any] = dict.fromkeys(("order_directory", "order_url", "order_key"))
        if order is not None:
            key = self._seal.close(order.key_pem.encode("ascii"), owner=_order_owner(name))
            values = {"order_directory": order.directory, "order_url": order.url, "order_key": key}
        self._update(name, values)

    def forget(self, names_kept: Collection[str]) -> None:
        """Forget certificates that are wanted no more, but for those that somebody works on."""
        gone = acme_progress.c.name.not_in(names_kept) & acme_progress.c.leased_until.is_(None)
        with self._reading.connect() as connection:
            is_any = connection.execute(select(acme_progress.c.name).where(gone).limit(1)).first() is not None
        if is_any:  # asked every few seconds: nothing is written where there is nothing to forget
            with self._engine.begin() as connection:
                connection.execute(delete(acme_progress).where(gone))

    # --- challenges ---

    def publish(self, answers: Mapping[str, str], *, until: datetime, now: datetime) -> None:
        """Let the edge answer these tokens; what is older than its time goes."""
        with self._engine.begin() as connection:
            connection.execute(delete(acme_challenges).where(acme_challenges.c.expires_at <= now.timestamp()))
            connection.execute(delete(acme_challenges).where(acme_challenges.c.token.in_(answers)))
            rows = [{"token": token, "answer": answer, "expires_at": until.timestamp()} for token, answer in answers.items()]
            if rows:
                connection.execute(insert(acme_challenges), rows)

    def withdraw(self, tokens: Collection[str]) -> None:
        """Answer these no more."""
        with self._engine.begin() as connection:
            connection.execute(delete(acme_challenges).where(acme_challenges.c.token.in_(tokens)))

    def _update(self, name: str, values: Mapping[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(acme_progress).where(acme_progress.c.name == name).values(**values))


class SqlChallenges:
    """The answers as the edge reads them, with no key to open anything else."""

    def __init__(self, engine: Engine) -> None:
        self._reading = for_reading(engine)

    def answers(self, now: datetime) -> Mapping[str, str]:
        """Return every answer that counts now, by its token."""
        query = select(acme_challenges.c.token, acme_challenges.c.answer).where(acme_challenges.c.expires_at > now.timestamp())
        with self._reading.connect() as connection:
            return {row.token: row.answer for row in connection.execute(query.limit(MOST_CHALLENGES))}


def _progress(row: Row[Any]) -> Progress:
    times = {field: _moment(getattr(row, field)) for field in _TIMES}
    return Progress(name=row.name, wanted=row.wanted, failures=row.failures, failure=row.failure, sha256=row.sha256, **times)


def _account(account: str, directory: str) -> ColumnElement[bool]:
    return (acme_accounts.c.account == account) & (acme_accounts.c.directory == directory)


def _key_owner(account: str, directory: str) -> str:
    return f"acme-accounts/{account} {directory}"


def _order_owner(name: str) -> str:
    return f"acme-certificates/{name}"


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()

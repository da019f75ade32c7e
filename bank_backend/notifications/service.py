"""Watching resources and noting their changes: each note is written in the transaction of the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bank_backend.notifications.addresses import (
    NotNotifiable,
    leads_here,
    names_this_machine,
    read_target,
    require_domain,
    resolve,
)
from bank_backend.notifications.model import (
    MOST_WAITING,
    SUBJECTS,
    USUAL_CONTENT,
    Content,
    State,
    Watch,
    content_as_text,
    process_body,
    sca_body,
)
from bank_backend.schedule.model import TaskKind
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection, Database
    from bank_backend.notifications.addresses import AddressPolicy
    from bank_backend.notifications.model import Notification
    from psd2.clock import Clock
    from psd2.ids import TenantId

_SUPPORT, _CONTENT = "ASPSP-Notification-Support", "ASPSP-Notification-Content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a TPP is told of its wish: the headers and, where nothing will be sent, why not."""

    headers: Mapping[str, str]
    refusal: str | None = None


class WatchStore(Protocol):
    """Where watches are kept; each call works inside the caller's transaction."""

    def put(self, connection: Connection, watch: Watch) -> None:
        """Write a watch over an earlier one."""

    def of(self, connection: Connection, tenant: TenantId, resource: str) -> Watch | None:
        """Return who watches a resource, or None."""

    def refused(self, connection: Connection, tenant: TenantId) -> list[Watch]:
        """Return the watches whose address is none that may be called."""


class Outbox(Protocol):
    """Where notifications wait; each call works inside the caller's transaction."""

    def add(self, connection: Connection, notification: Mapping[str, object]) -> None:
        """Write a notification."""

    def waiting(self, connection: Connection, tenant: TenantId) -> int:
        """Return how many wait to be sent to a tenant."""

    def newest(self, connection: Connection, tenant: TenantId) -> list[Notification]:
        """Return a tenant's last notifications, newest first."""


class Reminders(Protocol):
    """The part of the schedule that watches need."""

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have a task done at `due` of the tenant's time; the same one twice is one."""


class Changes:
    """Notes changes of status for whoever watches; stores call it in the transaction that changes them."""

    def __init__(self, *, watches: WatchStore, outbox: Outbox, schedule: Reminders, clock: Clock) -> None:
        """Write into `outbox`; `clock` is the real time, which the receivers live in."""
        self._watches, self._outbox, self._schedule, self._clock = watches, outbox, schedule, clock

    def watch(self, connection: Connection, tenant: TenantId, resource: str) -> Watch | None:
        """Return who is to be told of a resource, or None."""
        watch = self._watches.of(connection, tenant, resource)
        return None if watch is None or watch.refusal is not None else watch

    def process(self, connection: Connection, watch: Watch, status: str, *, is_last: bool) -> None:
        """Note a new status of the resource itself."""
        if Content.PROCESS in watch.content or (is_last and Content.LAST in watch.content):
            self._note(connection, watch, process_body(watch, status))

    def sca(self, connection: Connection, watch: Watch, authorisation: Authorisation) -> None:
        """Note a new status of one of its authorisations."""
        if Content.SCA in watch.content:
            body = sca_body(watch, authorisation.kind, authorisation.id, authorisation.status.value)
            self._note(connection, watch, body)

    def foresee(self, connection: Connection, authorisation: Authorisation) -> None:
        """Have an open authorisation looked at when its time is up: whoever watches learns that it ran out."""
        self._schedule.add(
            connection,
            tenant=authorisation.tenant,
            kind=TaskKind.EXPIRE_AUTHORISATION,
            resource=authorisation.id,
            due=authorisation.expires_at,
        )

    def _note(self, connection: Connection, watch: Watch, body: dict[str, object]) -> None:
        now = self._clock.now().timestamp()
        is_too_much = self._outbox.waiting(connection, watch.tenant) >= MOST_WAITING
        self._outbox.add(
            connection,
            {
                "request_id": new_uuid(),
                "tenant": watch.tenant,
                "resource": watch.resource,
                "uri": watch.uri,
                "body": body,
                "state": (State.ABANDONED if is_too_much else State.WAITING).value,
                "created_at": now,
                "next_at": now,
                "outcome": f"{MOST_WAITING} notifications are waiting already" if is_too_much else None,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """What a TPP asks about notifications: that it be sent some, and what became of them."""

    database: Database
    watches: WatchStore
    outbox: Outbox
    policy: AddressPolicy

    def subscribe(self, call: TppCall, *, kind: ResourceKind, resource: str, path: str, domains: Sequence[str]) -> Subscription:
        """Watch a new resource where the TPP wants it, and say whether that is so (BG IG §5.3.1, §6.3.1).

        An address that does not comply turns nothing down: it is answered that nothing will be sent there, and why.
        """
        if kind not in SUBJECTS:
            return Subscription(headers={})
        if call.notification_uri is None:
            return Subscription(headers={_SUPPORT: "false"})
        watch = Watch(
            tenant=call.tenant,
            kind=kind,
            resource=resource,
            path=path,
            uri=call.notification_uri,
            content=frozenset(Content(each) for each in call.notification_content) or USUAL_CONTENT,
            refusal=self._refusal(call.notification_uri, domains),
        )
        with self.database.writing() as connection:
            self.watches.put(connection, watch)
        if watch.refusal is not None:
            return Subscription(headers={_SUPPORT: "false"}, refusal=watch.refusal)
        return Subscription(headers={_SUPPORT: "true", _CONTENT: content_as_text(watch.content)})

    def listing(self, tenant: TenantId) -> tuple[list[Notification], list[Watch]]:
        """Return a tenant's last notifications, newest first, and the addresses that nothing is sent to."""
        with self.database.reading() as connection:
            return self.outbox.newest(connection, tenant), self.watches.refused(connection, tenant)

    def _refusal(self, uri: str, domains: Sequence[str]) -> str | None:
        try:
            target = read_target(uri)
            require_domain(target, domains)
            resolve(target, self.policy)
        except NotNotifiable as refusal:
            return f"{refusal}{self._local_way(uri, domains)}"[:400]
        return None

    def _local_way(self, uri: str, domains: Sequence[str]) -> str:
        """Return how a receiver on this machine is addressed, for whoever has named the machine itself."""
        name = next((each for each in domains if leads_here(each)), None)
        if name is None or not self.policy.allows_loopback or not names_this_machine(uri):
            return ""
        return f"; https://{name.removeprefix('*.')} leads to this machine, at any port but the platform's"

"""Builds lean push: what notes the changes, what TPPs ask about it, and what sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.notifications.addresses import AddressPolicy
from bank_backend.notifications.delivery import Delivery
from bank_backend.notifications.posting import Post, tls_context
from bank_backend.notifications.service import Changes, Notifications
from bank_backend.notifications.store import SqlOutbox, SqlWatchStore
from bank_backend.schedule.wiring import create_schedule

if TYPE_CHECKING:
    from bank_backend.config import BankSettings
    from bank_backend.database import Database
    from psd2.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class LeanPush:
    """What `create_services` takes from here; `real` is the real time, which receivers live in."""

    changes: Changes
    notifications: Notifications


def create_lean_push(settings: BankSettings, database: Database, *, real: Clock) -> LeanPush:
    """Build what notes changes, for the stores, and what TPPs ask about them."""
    watches, outbox = SqlWatchStore(), SqlOutbox()
    changes = Changes(watches=watches, outbox=outbox, schedule=create_schedule(), clock=real)
    policy = address_policy(settings)
    notifications = Notifications(database=database, watches=watches, outbox=outbox, policy=policy)
    return LeanPush(changes=changes, notifications=notifications)


def address_policy(settings: BankSettings) -> AddressPolicy:
    """Return where notifications may go: inside never, and to this machine where the platform itself is for nobody else."""
    return AddressPolicy(allows_loopback=settings.notifies_loopback, own_ports=frozenset(settings.ports.all))


def create_delivery(settings: BankSettings, database: Database, *, real: Clock) -> Delivery:
    """Build what empties the outbox."""
    sender = Post(context=tls_context(settings.home.trust_bundle), policy=address_policy(settings))
    return Delivery(database=database, outbox=SqlOutbox(), sender=sender, clock=real)

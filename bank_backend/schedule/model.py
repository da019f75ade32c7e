"""A task: what is to be done with which resource, when, and what happened when it was tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bank_backend.database import Connection
    from psd2.ids import TenantId

_LONGEST_PAUSE_SECONDS: Final = 300
_MOST_DOUBLINGS: Final = 10

# Does what is due: connection, tenant, resource, and the moment it was due at, which is its `now`. What it changes is
# committed together with the task's removal, or not at all. It looks at its resource under the resource's lock, since that
# may have been withdrawn a moment ago; what it raises is tried again.
Task: TypeAlias = "Callable[[Connection, TenantId, str, datetime], None]"


class TaskKind(StrEnum):
    """What there is to do by itself."""

    EXECUTE_PAYMENT = "execute-payment"
    EXPIRE_PAYMENT = "expire-payment"
    EXPIRE_CONSENT = "expire-consent"
    EXPIRE_FUNDS_CONSENT = "expire-funds-consent"
    EXPIRE_BASKET = "expire-basket"
    EXPIRE_AUTHORISATION = "expire-authorisation"
    SETTLE_CARD = "settle-card"
    BOOK_PENDING = "book-pending"
    WITHDRAW_GRANT = "withdraw-grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTask:
    """Something to do. `due` is in the tenant's time; `retry_at` in the real one, after `failures` in a row."""

    tenant: TenantId
    kind: str
    resource: str
    due: datetime
    failures: int = 0
    retry_at: datetime | None = None
    error: str = ""


def retry_pause(failures: int) -> timedelta:
    """Return how long a task rests after so many failures in a row: a second, then twice as long each time."""
    return timedelta(seconds=min(1 << min(failures - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS))

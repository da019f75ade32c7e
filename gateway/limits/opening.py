"""Opens the store of accounts that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.store import SqlAccountStore
from gateway.limits.valkey_store import ValkeyAccountStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.limits.accounts import AccountStore

_VALKEY_SCHEMES: Final = ("valkey://", "valkeys://", "unix://")


def open_store(url: str, clock: Callable[[], float]) -> AccountStore:
    """Open `sqlite:///FILE`, `postgresql://…` or `valkey://…`; raises `DatabaseProblem`, `StoreUnreachable`."""
    if url.startswith(_VALKEY_SCHEMES):
        return ValkeyAccountStore(url, clock)
    return SqlAccountStore.of_url(url, clock)

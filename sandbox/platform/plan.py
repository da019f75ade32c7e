"""What a supervisor is to run, and the steps in between that others own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chassis.home import Home
    from sandbox.platform.servers import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One platform.

    `prepare` makes the certificates once the databases are migrated; `introduce` tells the gateway whom to trust once every
    server is ready. `migrations` are the packages whose `python -m PACKAGE.database` runs first.
    """

    home: Home
    base_port: int
    servers: tuple[Server, ...]
    environment: Mapping[str, str]
    prepare: Callable[[], None]
    introduce: Callable[[], None]
    migrations: tuple[str, ...] = ("sandbox", "gateway", "bank_backend")

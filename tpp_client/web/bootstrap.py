"""Wires the demo app: its TPP, what it remembers, its pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chassis.files import write_private
from chassis.sql.database import open_engine
from psd2.clock import SystemClock
from psd2.ids import new_secret
from tpp_client.web.desk import FileDesk
from tpp_client.web.pace import Pace
from tpp_client.web.visits.store import VisitStore

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.clock import Clock
    from tpp_client.web.config import DemoSettings
    from tpp_client.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the pages work with; `form_key` signs the tokens of forms."""

    settings: DemoSettings
    clock: Clock
    desk: Desk
    visits: VisitStore
    pace: Pace
    form_key: str = field(repr=False)


def build_services(settings: DemoSettings) -> Services:
    """Wire everything; raises `DatabaseProblem`, `OSError`."""
    clock = SystemClock()
    return Services(
        settings=settings,
        clock=clock,
        desk=FileDesk(
            settings.home.tpp(settings.tpp), redirect_uri=settings.redirect_uri, detours=settings.detours, clock=clock
        ),
        visits=VisitStore(
            open_engine(settings.database_url), clock=clock, most=settings.max_visits, lifetime_seconds=settings.visit_seconds
        ),
        pace=Pace(clock),
        form_key=_kept_key(settings.home.var / "demo.key"),
    )


def _kept_key(file: Path) -> str:
    """Return the key in the file, made at the first start: a form that is open outlives a restart."""
    try:
        return file.read_text(encoding="ascii").strip() or _new_key(file)
    except FileNotFoundError:
        return _new_key(file)


def _new_key(file: Path) -> str:
    key = new_secret()
    write_private(file, key.encode())
    return key

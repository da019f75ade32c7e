"""A tenant's clock: shown, set, put forward (docs/test-data.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, Field, field_validator

from bank_backend.answers import json_answer
from bank_backend.bodies import Body, read_internal_body
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import Clock, MovedClock
from bank_backend.tenants.addresses import TenantRoutes
from bank_backend.tenants.durations import Duration

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.services import Services
    from bank_backend.tenants.time import ClockReading, TenantTime
    from psd2.ids import TenantId

_LONGEST = 40


class AdvanceBody(Body):
    """`POST …/clock/advance`."""

    by: str = Field(max_length=_LONGEST)

    @field_validator("by")
    @classmethod
    def _duration(cls, value: str) -> str:
        Duration.parse(value)
        return value


class ClockBody(Body):
    """`PUT …/clock`."""

    now: AwareDatetime = Field(strict=False)

    @field_validator("now", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        if not isinstance(value, str) or len(value) > _LONGEST:
            msg = "write a time with its offset, such as 2027-01-31T08:00:00Z"
            raise ValueError(msg)
        return value

    @field_validator("now")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        try:
            return value.astimezone(UTC)
        except OverflowError:
            msg = "is a moment that the calendar does not have in UTC"
            raise ValueError(msg) from None


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("clock", __name__)
    views, addresses = _Views(services.test_data.time), TenantRoutes(routes, services.tenants)
    addresses.add("/clock", views.get_clock, "GET")
    addresses.add("/clock", views.set_clock, "PUT")
    addresses.add("/clock/advance", views.advance_clock, "POST")
    app.register_blueprint(routes)


class _Views:
    def __init__(self, time: TenantTime) -> None:
        self._time = time

    @operation("Read the tenant's clock", answers={200: Clock})
    def get_clock(self, tenant: TenantId) -> Response:
        return json_answer(clock_json(self._time.reading(tenant)))

    @operation("Set the clock forward to a moment", body=ClockBody, answers={200: MovedClock})
    def set_clock(self, tenant: TenantId) -> Response:
        body = read_internal_body(request.get_data(), ClockBody)
        return json_answer(moved_json(self._time.set(tenant, body.now)))

    @operation("Advance the clock; what was due has happened when it answers", body=AdvanceBody, answers={200: MovedClock})
    def advance_clock(self, tenant: TenantId) -> Response:
        body = read_internal_body(request.get_data(), AdvanceBody)
        return json_answer(moved_json(self._time.advance(tenant, Duration.parse(body.by))))


def clock_json(reading: ClockReading) -> dict[str, object]:
    """Write what a clock shows."""
    return {
        "now": _shown(reading.now),
        "realTime": _shown(reading.real),
        "aheadSeconds": round(reading.ahead.total_seconds()),
    }


def moved_json(reading: ClockReading) -> dict[str, object]:
    """Write what a clock shows, and what its move has set off."""
    return {**clock_json(reading), "tasksRun": reading.tasks_run}


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")

"""`GET /sandbox/v1/schedule`: what the bank will do by itself for a tenant, and what it failed to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from bank_backend.answers import json_answer
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import Schedule
from bank_backend.tenants.addresses import TenantRoutes

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.schedule.model import ScheduledTask
    from bank_backend.services import Services
    from psd2.ids import TenantId


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("schedule", __name__)
    TenantRoutes(routes, services.tenants).add("/schedule", _Views(services).get_schedule, "GET")
    app.register_blueprint(routes)


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services

    @operation("Read what is scheduled, the next task first", answers={200: Schedule})
    def get_schedule(self, tenant: TenantId) -> Response:
        with self._services.database.reading() as connection:
            tasks = self._services.schedule.upcoming(connection, tenant)
        return json_answer({"tasks": [_task_json(task) for task in tasks]})


def _task_json(task: ScheduledTask) -> dict[str, object]:
    body: dict[str, object] = {"kind": task.kind, "resource": task.resource, "due": task.due.isoformat(timespec="seconds")}
    if task.retry_at is not None:
        retry_at = task.retry_at.isoformat(timespec="seconds")
        body |= {"failures": task.failures, "error": task.error, "retryAt": retry_at}
    return body

"""`/sandbox/v1/notifications`: what was sent to a TPP, and what became of it (docs/architecture.md §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.calls import calling_tenant
from bank_backend.notifications.model import State
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import Notifications as NotificationsAnswer

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.notifications.model import Notification, Watch
    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("notifications", __name__)

    @routes.get("/sandbox/v1/notifications")
    @operation("Read what was sent to TPP-Notification-URI", answers={200: NotificationsAnswer})
    def get_notifications() -> Response:
        sent, refused = services.notifications.listing(calling_tenant(request))
        body = {
            "notifications": [_notification_json(each) for each in sent],
            "refused": [_refused_json(each) for each in refused],
        }
        return json_answer(body)

    app.register_blueprint(routes)


def _notification_json(notification: Notification) -> dict[str, object]:
    body: dict[str, object] = {
        "at": notification.created_at.isoformat(timespec="milliseconds"),
        "requestId": notification.request_id,
        "uri": notification.uri,
        "body": notification.body,
        "state": notification.state.value,
        "attempts": notification.attempts,
    }
    if notification.outcome is not None:
        body["outcome"] = notification.outcome
    if notification.state is State.WAITING:
        body["nextAttemptAt"] = notification.next_at.isoformat(timespec="milliseconds")
    return body


def _refused_json(watch: Watch) -> dict[str, object]:
    return {"resource": watch.path, "uri": watch.uri, "reason": watch.refusal}

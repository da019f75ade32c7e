"""Reading inboxes: a TPP its own tenant's, the portal any tenant's (docs/architecture.md §3.3, §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.calls import calling_tenant
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import PSU
from bank_backend.openapi.shapes.sandbox import Inbox as InboxAnswer
from psd2.ids import TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask, Response

    from bank_backend.inbox.model import Message
    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("inbox", __name__)

    @routes.get("/sandbox/v1/inbox")
    @operation("Read the messages that PSUs have got", answers={200: InboxAnswer}, query=(PSU,))
    def get_own_inbox() -> Response:
        return _answer(calling_tenant(request))

    @routes.get("/internal/tenants/<path:number>/inbox")
    def get_inbox(number: str) -> Response:
        return _answer(TenantId(number))

    def _answer(tenant: TenantId) -> Response:
        known = services.tenants.tenant(tenant)
        return json_answer(messages_as_json(services.inbox.messages(known.id, request.args.get("psu"))))

    app.register_blueprint(routes)


def messages_as_json(messages: Sequence[Message]) -> dict[str, object]:
    """Write an inbox."""
    return {
        "messages": [
            {
                "at": message.at.isoformat(timespec="seconds"),
                "psu": message.psu,
                "channel": message.channel.value,
                "subject": message.subject,
                "text": message.text,
            }
            for message in messages
        ]
    }

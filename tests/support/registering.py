"""A TPP that registers clients by itself, and manages them (RFC 7591, RFC 7592)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.authorization import REDIRECT_URI, qwac
from tests.support.jose import es256

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld
    from tests.support.pki import Issued

EDGE = "https://localhost:8443"
KEYS = {"keys": [es256().jwk]}


def register(world: AuthorizationWorld, *, certificate: Issued | None = None, **metadata: Any) -> TestResponse:
    body = {"redirect_uris": [REDIRECT_URI]} | metadata
    return world.edge("/register", certificate or qwac(), json={name: value for name, value in body.items() if value != ...})


def registered(world: AuthorizationWorld, **metadata: Any) -> dict[str, Any]:
    answer = register(world, **metadata)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.get_json()
    return document


def manage(
    world: AuthorizationWorld, method: str, document: dict[str, Any], *, certificate: Issued | None = None, **options: Any
) -> TestResponse:
    """Call the address that came with the client, with the token that came with it."""
    path = document["registration_client_uri"].removeprefix(EDGE)
    headers = {"Authorization": f"Bearer {document['registration_access_token']}"} | options.pop("headers", {})
    return world.edge(path, certificate or qwac(), method=method, headers=headers, **options)


def written(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a document as its TPP sends it back."""
    return {name: value for name, value in document.items() if not name.startswith("registration_")} | changes

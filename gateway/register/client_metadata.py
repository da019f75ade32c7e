"""A client's registered metadata as JSON: kept so in the database, told and taken so by the APIs (RFC 7591 §2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any, Final

from gateway.register.model import ApplicationType, Client, DeliveryMode, GrantType, SigningAlg

_Reader = Callable[[Any], Any]


def _grant_types(names: list[str]) -> tuple[GrantType, ...]:
    return tuple(GrantType(name) for name in names)


# How a member is read back, where JSON has no type of its own for it.
_READERS: Final[dict[str, _Reader]] = {
    "application_type": ApplicationType,
    "token_endpoint_auth_signing_alg": SigningAlg,
    "grant_types": _grant_types,
    "request_object_signing_alg": SigningAlg,
    "authorization_signed_response_alg": SigningAlg,
    "introspection_signed_response_alg": SigningAlg,
    "authorization_details_types": tuple,
    "backchannel_token_delivery_mode": DeliveryMode,
    "backchannel_authentication_request_signing_alg": SigningAlg,
    "held_by_operator": tuple,
}
_IN_COLUMNS: Final = frozenset({"token_endpoint_auth_method", "status"})
METADATA: Final = tuple(
    field.name for field in fields(Client) if field.default is not MISSING and field.name not in _IN_COLUMNS
)
"""The members that have a default, which is what the clients registered before them have."""
_DEFAULTS: Final = {field.name: field.default for field in fields(Client)}


def plain_metadata(client: Client) -> dict[str, Any]:
    """Return the members as JSON has them."""
    return {name: _plain(getattr(client, name)) for name in METADATA}


def metadata_text(client: Client) -> str:
    """Return what the database keeps of them: those that are not at their defaults."""
    kept = {name: value for name, value in plain_metadata(client).items() if getattr(client, name) != _DEFAULTS[name]}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def read_metadata(text: str) -> dict[str, Any]:
    """Return the members that the database has kept, as `Client` takes them."""
    return {name: _READERS[name](value) if name in _READERS else value for name, value in json.loads(text).items()}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, StrEnum) else value

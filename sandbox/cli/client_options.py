"""What `sandbox tpp` is told of a TPP's OAuth client, put together as client metadata (RFC 7591 §2)."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import orjson

from sandbox.tpps.client_certificate import METHOD as SELF_SIGNED
from sandbox.tpps.client_certificate import is_of_no_use
from sandbox.tpps.model import Profile
from sandbox.tpps.pasted_keys import KeysUnreadable, read_pasted_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)
CIBA: Final = "urn:openid:params:grant-type:ciba"
_METHODS: Final = ("tls_client_auth", SELF_SIGNED, "private_key_jwt")
_DEFAULT_GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
_Command = TypeVar("_Command", bound="Callable[..., Any]")

_OPTIONS: Final = (
    click.option("--profile", type=click.Choice([profile.value for profile in Profile]), default="berlin", show_default=True),
    click.option("--auth-method", type=click.Choice(_METHODS), help="How the client authenticates. Default: tls_client_auth."),
    click.option("--jwks", type=FILE, help="The client's public keys. Left out where keys are needed: client.key is made."),
    click.option("--jwks-uri", help="Where the client publishes its keys."),
    click.option(
        "--sign-requests", is_flag=True, help="Its authorization requests have to be signed; Message Signing says so too."
    ),
    click.option(
        "--dpop", is_flag=True, help="Its tokens are bound to a key of its own, dpop.key, instead of its certificate."
    ),
    click.option(
        "--ciba", type=click.Choice(["poll", "ping"]), help="PSUs may decide without a browser; how the client hears."
    ),
    click.option("--notification-endpoint", metavar="URL", help="Where the client is pinged, with --ciba ping."),
    click.option("--client-metadata", type=FILE, help="More of RFC 7591 §2 as a JSON object, such as grant_types."),
)


def client_options(command: _Command) -> _Command:
    """Add the options about the client to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def client_metadata(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options about the client, but for the profile, out of those given, and return what they say together."""
    method, keys, address = given.pop("auth_method"), given.pop("jwks"), given.pop("jwks_uri")
    more = given.pop("client_metadata")
    said = {
        **({"token_endpoint_auth_method": method} if method else {}),
        **({"jwks": read_keys(keys)} if keys else {}),
        **({"jwks_uri": address} if address else {}),
        **({"require_signed_request_object": True} if given.pop("sign_requests") else {}),
        **({"dpop_bound_access_tokens": True} if given.pop("dpop") else {}),
        **_backchannel(given.pop("ciba"), given.pop("notification_endpoint")),
    }
    _require_use(said)
    return {**said, **(_read_object(more, "--client-metadata") if more else {})}


def _require_use(said: dict[str, Any]) -> None:
    """Refuse what could be registered, and would lead nowhere."""
    if is_of_no_use(said):
        raise click.UsageError(
            f"--auth-method {SELF_SIGNED} goes with --dpop (and a profile of FAPI 2.0): its tokens would be bound to "
            "client.crt, and accounts and payments take the QWAC only"
        )


def read_keys(path: Path) -> dict[str, Any]:
    """Return the public keys in a file, a JWK Set or one JWK; raises `click.BadParameter`."""
    try:
        keys = read_pasted_keys(path.read_text(encoding="utf-8", errors="replace"))
    except KeysUnreadable as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--jwks") from error
    if keys is None:
        raise click.BadParameter(f"{path} is empty", param_hint="--jwks")
    return keys


def _read_object(path: Path, option: str) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.BadParameter(f"{path} is not JSON: {error}", param_hint=option) from error
    if not isinstance(document, dict):
        raise click.BadParameter(f"{path} holds no JSON object", param_hint=option)
    return document


def _backchannel(mode: str | None, endpoint: str | None) -> dict[str, Any]:
    if endpoint is not None and mode != "ping":
        raise click.UsageError("--notification-endpoint goes with --ciba ping: a client that polls is told nothing")
    if mode == "ping" and endpoint is None:
        raise click.UsageError("--ciba ping needs --notification-endpoint URL: where the client is pinged")
    if mode is None:
        return {}
    told = {"backchannel_client_notification_endpoint": endpoint} if endpoint else {}
    return {"grant_types": [*_DEFAULT_GRANT_TYPES, CIBA], "backchannel_token_delivery_mode": mode, **told}

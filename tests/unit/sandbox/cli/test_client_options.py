"""What the command line says of a TPP's OAuth client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from sandbox.cli.client_options import CIBA, client_metadata, client_options

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ"}


@click.command()
@client_options
def said(**given: Any) -> None:
    """Print it."""
    click.echo(json.dumps(client_metadata(given)))


def told(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(said, arguments)
    assert done.exit_code == 0, done.output
    metadata: dict[str, Any] = json.loads(done.stdout)
    return metadata


def test_nothing_is_said_of_a_plain_client() -> None:
    assert told() == {}


def test_each_option_has_its_member(tmp_path: Path) -> None:
    """By the names of the RFCs; a file says the rest, and goes before."""
    (tmp_path / "keys").write_text(json.dumps(KEY))
    (tmp_path / "more").write_text('{"application_type": "native"}')
    options = ("--auth-method", "private_key_jwt", "--jwks", str(tmp_path / "keys"), "--sign-requests", "--dpop")
    ciba = ("--ciba", "ping", "--notification-endpoint", "https://acme.example/ping")

    metadata = told(*options, *ciba, "--client-metadata", str(tmp_path / "more"))

    assert metadata.pop("grant_types")[-1] == CIBA
    assert metadata == {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [KEY]},
        "require_signed_request_object": True,
        "dpop_bound_access_tokens": True,
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": "https://acme.example/ping",
        "application_type": "native",
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--ciba", "ping"), "needs --notification-endpoint"),
        (("--notification-endpoint", "https://acme.example/ping"), "goes with --ciba ping"),
        (("--auth-method", "self_signed_tls_client_auth"), "goes with --dpop"),
        (("--jwks", "private"), "private key"),
        (("--jwks", "pem"), "PEM"),
        (("--jwks", "empty"), "empty"),
        (("--client-metadata", "pem"), "not JSON"),
    ],
)
def test_what_leads_nowhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str
) -> None:
    """With what would be right."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private").write_text(json.dumps(KEY | {"d": "eg"}))
    (tmp_path / "pem").write_text("-----BEGIN PUBLIC KEY-----\n")
    (tmp_path / "empty").touch()

    done = CliRunner().invoke(said, arguments)

    assert done.exit_code == 2
    assert why in " ".join(done.output.split())

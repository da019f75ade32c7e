"""`gateway token`: the tokens by which a subscriber is recognised, made and shown once, listed, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from gateway.cli.options import with_gateway
from gateway.cli.printing import print_json, print_table, say
from gateway.cli.reading import document_path

if TYPE_CHECKING:
    from gateway.cli.control_api import ControlApi

_KIND = "subscribers"


@click.group()
def token() -> None:
    """Make, list and revoke the tokens of a SUBSCRIBER of usage plans; several may overlap in time."""


@token.command()
@click.argument("subscriber")
@click.argument("token_id", metavar="ID")
@click.option("--not-before", help="It counts from then on, like 2027-01-31T00:00:00Z. Default: at once.")
@click.option("--expires", help="It counts until then. Default: until it is revoked.")
@with_gateway
def issue(
    api: ControlApi, *, subscriber: str, token_id: str, not_before: str | None, expires: str | None, as_json: bool
) -> None:
    """Make a token, to be spoken of by ID, and print it: it is stored nowhere, nobody can show it again."""
    order = {"id": token_id, "not_before": not_before, "expires": expires}
    body = {name: value for name, value in order.items() if value is not None}
    issued = api.change("POST", f"{document_path(_KIND, subscriber)}/tokens", body)
    if as_json:
        print_json(issued)
        return
    say(issued["token"])
    say(f"token {token_id} of {subscriber}: keep it now, it is not shown again", err=True)


@token.command("list")
@click.argument("subscriber")
@with_gateway
def list_tokens(api: ControlApi, *, subscriber: str, as_json: bool) -> None:
    """List a subscriber's tokens by their ids, with the times between which they count."""
    found = api.get(document_path(_KIND, subscriber))["document"].get("tokens", [])
    tokens = [{name: each.get(name) for name in ("id", "not_before", "expires")} for each in found]
    if as_json:
        print_json(tokens)
        return
    print_table(("id", "not before", "expires"), [tuple(each.values()) for each in tokens])


@token.command()
@click.argument("subscriber")
@click.argument("token_id", metavar="ID")
@with_gateway
def revoke(api: ControlApi, *, subscriber: str, token_id: str, as_json: bool) -> None:
    """Revoke a token: within a second nobody is let in by it any more."""
    api.change("DELETE", f"{document_path(_KIND, subscriber)}/tokens/{quote(token_id, safe='')}")
    if as_json:
        print_json({"subscriber": subscriber, "revoked": token_id})
        return
    say(f"token {token_id} of {subscriber} is revoked")

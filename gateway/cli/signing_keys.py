"""`gateway key`: the keys that the authorization server signs with, listed and changed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import with_gateway
from gateway.cli.printing import print_json, print_table, say

if TYPE_CHECKING:
    from gateway.cli.control_api import ControlApi

_COLUMNS = ("alg", "state", "published_at", "signs_from", "kid")


@click.group()
def key() -> None:
    """List the authorization server's signing keys, and change them by hand; by time they change themselves."""


@key.command("list")
@with_gateway
def list_keys(api: ControlApi, *, as_json: bool) -> None:
    """List the keys: who signs, whose turn comes, and who is published for what it has signed."""
    keys = api.get("/signing-keys")["keys"]
    if as_json:
        print_json(keys)
        return
    print_table([column.replace("_", " ") for column in _COLUMNS], [[each[column] for column in _COLUMNS] for each in keys])


@key.command()
@click.argument("alg", type=click.Choice(["PS256", "ES256", "EdDSA"]))
@click.option("--withdraw", is_flag=True, help="Take the present key out of the JWKS at once: others may have it.")
@with_gateway
def rotate(api: ControlApi, *, alg: str, withdraw: bool, as_json: bool) -> None:
    """Let the next key for ALG sign from now on; what the present one has signed stays good, unless it is withdrawn."""
    done = api.change("POST", "/signing-keys/rotations", {"alg": alg, "withdraw": withdraw})
    if as_json:
        print_json(done)
        return
    say(f"{alg}: {done['signs']} signs from now on")
    if done["withdrawn"] is not None:
        say(f"{alg}: {done['withdrawn']} is withdrawn; clients that keep copies of the JWKS believe it until those run out")

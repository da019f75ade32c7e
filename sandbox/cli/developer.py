"""`sandbox developer list | operator | password`: how the first operator comes to be, and a forgotten password is set."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.terminal import print_json, print_table
from sandbox.developers.passwords import require_acceptable

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.developers.model import Developer, Organisation


@click.group()
def developer() -> None:
    """Look after the accounts of the portal."""


@developer.command(name="list")
@json_option
@home_option
def list_(*, as_json: bool, home: Path | None) -> None:
    """List who has signed up."""
    everybody = services_for(home).developers.all()
    if as_json:
        print_json([_document(one, organisation) for one, organisation in everybody])
        return
    rows = [
        (one.email, one.name, organisation.name, "operator" if one.is_operator else "", f"{_moment(one.created_at):%Y-%m-%d}")
        for one, organisation in everybody
    ]
    print_table("", ("e-mail", "name", "organisation", "", "since"), rows)


@developer.command()
@click.argument("email")
@click.option("--revoke", is_flag=True, help="Make somebody an ordinary developer again.")
@json_option
@home_option
def operator(*, email: str, revoke: bool, as_json: bool, home: Path | None) -> None:
    """Make somebody who has signed up an operator: they see all TPPs and may block them. In force at once."""
    changed = services_for(home).developers.set_operator(email, is_operator=not revoke)
    if as_json:
        print_json({"email": changed.email, "is_operator": not revoke})
    else:
        click.echo(f"{changed.email} is {'no longer an operator' if revoke else 'an operator now'}")


@developer.command()
@click.argument("email")
@json_option
@home_option
def password(*, email: str, as_json: bool, home: Path | None) -> None:
    """Set a forgotten password and sign its owner out everywhere. Asks for it, or reads it from a pipe."""
    developers = services_for(home).developers
    given = _asked_for() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    require_acceptable(given, field="password", told=(email,))
    ended = developers.set_password(email, given)
    if as_json:
        print_json({"email": email, "sessions_ended": ended})
    else:
        click.echo(f"the password of {email} is set; {ended} {'session' if ended == 1 else 'sessions'} ended")


def _asked_for() -> str:
    given: str = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    return given


def _document(one: Developer, organisation: Organisation) -> dict[str, object]:
    return {
        "email": one.email,
        "name": one.name,
        "organisation": organisation.name,
        "is_operator": one.is_operator,
        "created_at": _moment(one.created_at).isoformat(timespec="seconds"),
    }


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)

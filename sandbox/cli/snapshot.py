"""`sandbox snapshot take | list | restore | delete`: a TPP's whole bank, kept under a name and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.options import home_option, json_option
from sandbox.cli.tenant import bank_of, tpp_option
from sandbox.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def snapshot() -> None:
    """Keep the state of a TPP's bank under a name, and put it back: accounts, consents, payments, clock, faults."""


@snapshot.command()
@click.argument("name")
@tpp_option
@json_option
@home_option
def take(*, name: str, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Keep the state as it is under NAME."""
    levers, number = bank_of(home, tpp_name)
    taken = levers.take_snapshot(number, name)
    if as_json:
        print_json(taken)
    else:
        click.echo(f"{taken['name']} keeps {taken['rows']} rows as of {taken['clock']}")


@snapshot.command("list")
@tpp_option
@json_option
@home_option
def list_(*, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """List the snapshots."""
    levers, number = bank_of(home, tpp_name)
    snapshots = levers.snapshots(number)
    if as_json:
        print_json(snapshots)
        return
    rows = [(one["name"], one["takenAt"], one["clock"], str(one["rows"]), str(one["bytes"])) for one in snapshots]
    print_table("", ("name", "taken at", "clock", "rows", "bytes"), rows)


@snapshot.command()
@click.argument("name")
@tpp_option
@json_option
@home_option
def restore(*, name: str, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Put everything back as NAME has it. What was made since is unknown afterwards; the clock goes back too."""
    levers, number = bank_of(home, tpp_name)
    restored = levers.restore_snapshot(number, name)
    if as_json:
        print_json(restored)
    else:
        click.echo(f"{name} is restored: {restored['rowsRemoved']} rows removed, {restored['rowsWritten']} written")
        click.echo(f"the bank's clock shows {restored['clock']}")


@snapshot.command()
@click.argument("name")
@tpp_option
@json_option
@home_option
def delete(*, name: str, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Forget NAME."""
    levers, number = bank_of(home, tpp_name)
    levers.delete_snapshot(number, name)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"{name} is deleted")

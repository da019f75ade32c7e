"""`sandbox clock show | set | advance`: a TPP's bank in its own time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.options import home_option, json_option
from sandbox.cli.tenant import bank_of, tpp_option
from sandbox.cli.terminal import print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def clock() -> None:
    """Show and move the clock of a TPP's bank: consents expire, payments fall due. It moves forward only."""


@clock.command()
@tpp_option
@json_option
@home_option
def show(*, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Show what it shows, and how far it is ahead of the real time."""
    levers, number = bank_of(home, tpp_name)
    _tell(levers.clock(number), as_json=as_json)


@clock.command("set")
@click.argument("now")
@tpp_option
@json_option
@home_option
def set_(*, now: str, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Put it to NOW, such as 2027-01-31T08:00:00Z. What was due until then has happened afterwards."""
    levers, number = bank_of(home, tpp_name)
    _tell(levers.set_clock(number, now), as_json=as_json)


@clock.command()
@click.argument("by")
@tpp_option
@json_option
@home_option
def advance(*, by: str, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Put it forward by BY, an ISO 8601 duration such as P1D, P1M or PT12H. What was due until then has happened afterwards."""
    levers, number = bank_of(home, tpp_name)
    _tell(levers.advance_clock(number, by), as_json=as_json)


def _tell(reading: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(reading)
        return
    click.echo(f"the bank's clock shows {reading['now']}, {reading['aheadSeconds']} seconds ahead of the real time")
    if "tasksRun" in reading:
        click.echo(f"{reading['tasksRun']} scheduled tasks were due and have run")

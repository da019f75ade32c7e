"""What the `tpp` commands have in common: their options, the clock, and how they give up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from psd2.clock import SystemClock

if TYPE_CHECKING:
    from tpp_client.errors import TppClientError

CLOCK: Final = SystemClock()

tpp_option = click.option("--tpp", "tpp_name", required=True, metavar="NAME", help="The TPP, by its folder in certs/tpps.")
psu_option = click.option("--psu", default="anna.weber", show_default=True, help="The PSU whose bank this is.")
home_option = click.option(
    "--home",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the platform, which holds certs/.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a story.")


def give_up(error: TppClientError, *, as_json: bool) -> NoReturn:
    """End with what went wrong; in JSON on standard output too, so that a script reads one place."""
    if as_json:
        click.echo(json.dumps({"error": str(error)}))
    click.echo(f"tpp: {error}", err=True)
    sys.exit(1)

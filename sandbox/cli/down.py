"""`sandbox down`; apart from the rest of the lifecycle, which loads what starting takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.options import home_option
from sandbox.config import load_settings
from sandbox.platform.stopping import stop_running

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@home_option
def down(*, home: Path | None) -> None:
    """Stop the platform that runs in this home."""
    settings = load_settings(home=home)
    stopped = stop_running(settings)
    click.echo("stopped" if stopped else f"no platform runs in {settings.home.path}")

"""`sandbox init`: databases and certificates, without starting a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.options import base_port_option, home_option
from sandbox.config import load_settings

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--passwords-only", is_flag=True, help="Make the passwords and stop: PostgreSQL needs one before it starts.")
@home_option
@base_port_option
def init(*, passwords_only: bool, home: Path | None, base_port: int | None) -> None:
    """Make ready what servers need that are started apart, each in a container: databases, certificates, keys.

    May be run again: what is there stays, what is due is renewed.
    """
    from sandbox.containers.initialisation import initialise, make_passwords

    settings = load_settings(home=home, base_port=base_port)
    (make_passwords if passwords_only else initialise)(settings, _tell)


def _tell(text: str) -> None:
    click.echo(f"init: {text}")

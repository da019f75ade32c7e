"""Options that many commands share, and the settings they lead to."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sandbox.acting import note_person
from sandbox.config import SandboxSettings, load_settings
from sandbox.platform.state import HomeNotUsable, RunFolder

if TYPE_CHECKING:
    from sandbox.services import Services

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder holding certs/ and var/. Default: SANDBOX_HOME or the current folder.",
)
base_port_option = click.option("--base-port", type=int, help="Shift all ports together. Default: SANDBOX_BASE_PORT or 8440.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")


def settings_for(home: Path | None, base_port: int | None = None) -> SandboxSettings:
    """Return the settings; where no port is named, those of the platform that runs in this home."""
    settings = load_settings(home=home, base_port=base_port)
    running = RunFolder(settings.home).running() if base_port is None else None
    return load_settings(home=home, base_port=running.base_port) if running else settings


def services_for(home: Path | None) -> Services:
    """Return the services of a home in which a platform has been started at least once; raises `HomeNotUsable`."""
    from sandbox.bootstrap import build_services

    note_person(f"{_user()} by the sandbox command")
    return build_services(started_settings(home))


def _user() -> str:
    """Return who sits at the terminal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def started_settings(home: Path | None) -> SandboxSettings:
    """Return the settings of a home in which a platform has been started at least once; raises `HomeNotUsable`."""
    settings = settings_for(home)
    if not settings.has_database:
        raise HomeNotUsable(
            f"no platform has been started in {settings.home.path} yet: `sandbox up` does, or name another --home "
            "(a platform on PostgreSQL is found by SANDBOX_DATABASE_URL)"
        )
    return settings

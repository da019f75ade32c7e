"""`sandbox up | status | reset`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import click

from chassis.logs import configure_logging, get_logger
from psd2.clock import SystemClock
from sandbox.cli.options import base_port_option, home_option, json_option, settings_for
from sandbox.cli.programs import typed
from sandbox.cli.statuses import REFUSED, UNREACHABLE
from sandbox.cli.terminal import (
    address_document,
    print_addresses,
    print_json,
    print_root_certificate,
    print_table,
    told_if_anybody_reads,
)
from sandbox.config import load_settings
from sandbox.platform.events import Event, EventKind
from sandbox.platform.launch import Announcements, run_in_background, run_in_foreground
from sandbox.platform.readiness import HealthOverTheWire
from sandbox.platform.removal import remove_certificates, remove_state
from sandbox.platform.servers import servers_of
from sandbox.platform.state import PlatformState, RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.config import SandboxSettings
    from sandbox.platform.events import Listener

_COLOURS = {EventKind.DIED: "yellow", EventKind.BACK: "green", EventKind.FAILED: "red"}


@click.command()
@click.option("--detach", is_flag=True, help="Start in the background; return when ready.")
@click.option("--announce-to", type=int, hidden=True)
@home_option
@base_port_option
def up(*, detach: bool, announce_to: int | None, home: Path | None, base_port: int | None) -> None:
    """Start the platform; Ctrl-C stops it."""
    settings = load_settings(home=home, base_port=base_port)
    if detach:
        run_in_background(settings, tell=show_event)
        _show_ready(settings, f"`{typed('sandbox')} down` stops it.")
    elif announce_to is not None:
        _run_announced(settings, announce_to)
    else:
        _run_here(settings)


def _run_here(settings: SandboxSettings) -> None:
    def tell(event: Event) -> None:
        show_event(event)
        if event.kind is EventKind.READY:
            _show_ready(settings, "Ctrl-C stops it.")

    run_in_foreground(settings, clock=SystemClock(), tell=_Both(tell, _Log(settings)))


def _run_announced(settings: SandboxSettings, descriptor: int) -> None:
    announce = Announcements(descriptor)
    try:
        run_in_foreground(settings, clock=SystemClock(), tell=_Both(announce, _Log(settings)))
    except Exception as error:
        from sandbox.cli.failures import sentence

        announce(Event(EventKind.FAILED, sentence(error) or f"{type(error).__name__}: {error}"))
        raise


class _Both:
    """Tells two listeners."""

    def __init__(self, first: Listener, second: Listener) -> None:
        self._listeners = (first, second)

    def __call__(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)


class _Log:
    """Writes events to `var/log/platform.jsonl`, which exists once there is something to tell."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._path = settings.home.log / "platform.jsonl"
        self._is_open = False

    def __call__(self, event: Event) -> None:
        if not self._is_open:
            configure_logging("platform", self._path)
            self._is_open = True
        get_logger().info(f"platform.{event.kind}", text=event.text)


def show_event(event: Event) -> None:
    """Print what happens, one line each."""
    if event.kind is not EventKind.READY:
        with told_if_anybody_reads():
            click.secho(f"  {event.text}", fg=_COLOURS.get(event.kind), dim=event.kind is EventKind.STEP)


def _show_ready(settings: SandboxSettings, how_to_stop: str) -> None:
    with told_if_anybody_reads():
        click.secho(f"The platform is up. {how_to_stop}", bold=True)
        print_addresses(settings)
        print_root_certificate(settings)


@click.command()
@json_option
@home_option
def status(*, as_json: bool, home: Path | None) -> int:
    """Tell what runs and whether it is healthy: status 0 if all is, 1 if something isn't, 3 if nothing runs."""
    settings = settings_for(home)
    state = RunFolder(settings.home).running()
    if state is None:
        if as_json:
            print_json({"home": str(settings.home.path), "running": False})
        else:
            click.echo(f"no platform runs in {settings.home.path}")
        return UNREACHABLE
    complaints = _complaints(settings)
    if as_json:
        print_json(_status_document(settings, state, complaints))
    else:
        _print_status(settings, state, complaints)
    return 0 if state.ready and not any(complaints.values()) else REFUSED


def _complaints(settings: SandboxSettings) -> dict[str, str | None]:
    health = HealthOverTheWire(settings.home)
    servers = servers_of(settings.ports)
    with ThreadPoolExecutor(len(servers)) as pool:
        return dict(zip((server.name for server in servers), pool.map(health.complaint, servers), strict=True))


def _status_document(settings: SandboxSettings, state: PlatformState, complaints: dict[str, str | None]) -> dict[str, object]:
    servers = [
        {
            "name": server.name,
            "pid": server.pid,
            "state": server.state,
            "restarts": server.restarts,
            "healthy": complaints[server.name] is None,
            "complaint": complaints[server.name],
        }
        for server in state.servers
    ]
    return {
        "home": str(settings.home.path),
        "running": True,
        "ready": state.ready and not any(complaints.values()),
        "pid": state.pid,
        "base_port": state.base_port,
        "started_at": state.started_at,
        "addresses": address_document(settings),
        "servers": servers,
    }


def _print_status(settings: SandboxSettings, state: PlatformState, complaints: dict[str, str | None]) -> None:
    click.echo(f"up since {state.started_at} in {settings.home.path}, base port {state.base_port}, process {state.pid}")
    rows = [
        (server.name, complaints[server.name] or "healthy", str(server.pid or "-"), str(server.restarts))
        for server in state.servers
    ]
    print_table("", ("server", "health", "process", "restarts"), rows)
    print_addresses(settings)


@click.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--certificates", is_flag=True, help="Remove the generated certificates and keys as well.")
@home_option
def reset(*, yes: bool, certificates: bool, home: Path | None) -> None:
    """Forget everything: databases and logs, and with --certificates the certificate authority and all TPPs' keys."""
    settings = load_settings(home=home)
    what = f"{settings.home.var}" + (f" and the generated files in {settings.home.certs}" if certificates else "")
    if not yes:
        click.confirm(f"Remove {what} for good?", abort=True)
    remove_state(settings.home)
    if certificates:
        remove_certificates(settings.home)
    click.echo(f"removed {what}")

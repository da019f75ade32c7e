"""`sandbox demo`: from nothing to a journey of every kind, with the platform left up."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import click

from sandbox.cli.lifecycle import show_event
from sandbox.cli.options import base_port_option, home_option, services_for, settings_for
from sandbox.cli.programs import shown, typed
from sandbox.cli.statuses import REFUSED
from sandbox.cli.terminal import print_addresses, print_root_certificate
from sandbox.cli.tpp import register_here
from sandbox.platform.child import python
from sandbox.platform.launch import run_in_background
from sandbox.platform.state import RunFolder
from sandbox.tpps.errors import UnknownTpp
from sandbox.tpps.parsing import parse_registration

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.config import SandboxSettings
    from sandbox.services import Services

_NAME, _NUMBER = "demo", "PSDDE-BAFIN-100001"
_REGISTRATION = {
    "name": _NAME,
    "organisation": "Demo Money Manager",
    "authorisation_number": _NUMBER,
    "roles": ["AISP", "PISP", "CBPII"],
    "profile": "berlin",
}
_JOURNEYS = {"ais": "Account information", "pis": "A payment", "piis": "A funds confirmation"}
_JOURNEY_SECONDS = 120


@click.command()
@home_option
@base_port_option
def demo(*, home: Path | None, base_port: int | None) -> int:
    """Start the platform unless it runs, register a TPP, run a journey of every kind, leave the platform up."""
    settings = settings_for(home, base_port)
    _headline("The platform")
    _ensure_up(settings)
    settings = settings_for(home)
    print_addresses(settings)
    print_root_certificate(settings)
    _headline(f"A TPP, {_NAME}, with all three roles")
    services = services_for(home)
    wanted = _REGISTRATION | {"redirect_uris": _redirect_uris(services)}
    registered, folder = register_here(services, parse_registration(wanted))
    click.echo(f"  {registered.tpp.authorisation_number}: QWAC, QSealC and client.json in {folder.path}")
    failed = [kind for kind in _JOURNEYS if not _walk(kind, settings)]
    if failed:
        click.secho(
            f"\n{' and '.join(failed)} failed; the platform is still up, its logs are in {settings.home.log}",
            fg="red",
            err=True,
        )
        return REFUSED
    _print_next_steps(settings)
    return 0


def _ensure_up(settings: SandboxSettings) -> None:
    if RunFolder(settings.home).is_held():
        click.echo("  runs already")
        return
    began = time.monotonic()
    run_in_background(settings, tell=show_event)
    click.echo(f"  up after {time.monotonic() - began:.1f} s")


def _redirect_uris(services: Services) -> list[str]:
    """Return the demo app's, or, where the TPP is registered already, its own: the platform may answer on other ports now."""
    try:
        return list(services.register.require(_NUMBER).redirect_uris)
    except UnknownTpp:
        return [f"{services.addresses.demo}/callback"]


def _walk(kind: str, settings: SandboxSettings) -> bool:
    _headline(f"{_JOURNEYS[kind]}: tpp journey {kind} --tpp {_NAME}")
    command = python("tpp_client.cli", "journey", kind, "--tpp", _NAME, "--home", str(settings.home.path))
    return subprocess.run(command, check=False, timeout=_JOURNEY_SECONDS).returncode == 0  # noqa: S603 - the command is ours


def _print_next_steps(settings: SandboxSettings) -> None:
    _headline("Next")
    certs = shown(settings.home.certs)
    tpp = f"{certs}/tpps/{_NAME}"
    edge = f"https://{settings.public_host}:{settings.ports.edge}"
    click.echo("  Who can log in at the bank of this TPP, asked over mutual TLS:")
    click.secho(
        f"  curl --cacert {certs}/trust.pem --cert {tpp}/qwac.crt --key {tpp}/qwac.key {edge}/sandbox/v1/data", bold=True
    )
    click.echo("  The same gateway without a certificate says what is missing:")
    click.secho(f"  curl --cacert {certs}/trust.pem {edge}/v1/accounts", bold=True)
    host, ports = settings.public_host, settings.ports
    click.echo("  In a browser, which warns until it trusts the root certificate above:")
    click.echo(f"  a TPP of your own, with its certificates and its first call  https://{host}:{ports.portal}/sign-up")
    click.echo(f"  a person who connects the bank, looks and pays               https://{host}:{ports.demo}")
    click.echo(f"  `{typed('sandbox')} down` stops the platform.")


def _headline(text: str) -> None:
    click.secho(f"\n{text}", bold=True)

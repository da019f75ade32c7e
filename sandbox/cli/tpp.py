"""`sandbox tpp register | list | block | unblock | remove`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused
from sandbox.cli.change_client import amendment_for, change_client
from sandbox.cli.client_options import client_metadata, client_options
from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.programs import typed
from sandbox.cli.rotate_key import rotate_key
from sandbox.cli.terminal import print_json, print_table
from sandbox.tpps import client_key
from sandbox.tpps.client_data import client_data
from sandbox.tpps.folder import TppFolder
from sandbox.tpps.parsing import parse_registration

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.services import Services
    from sandbox.tpps.model import RegistrationRequest, Tpp
    from sandbox.tpps.service import Registered


@click.group()
def tpp() -> None:
    """Register TPPs and look after them."""


@tpp.command()
@click.argument("name")
@click.option("--authorisation-number", required=True, help="Such as PSDDE-BAFIN-100001.")
@click.option("--roles", required=True, help="One or more of AISP, PISP, CBPII, comma separated.")
@click.option("--redirect-uri", "redirect_uris", required=True, multiple=True, help="May be given several times.")
@client_options
@click.option("--organisation", help="Name of the firm in its certificates. Default: NAME.")
@click.option("--seed", type=int, help="Fixes the test data: the same number and seed make the same bank.")
@json_option
@home_option
def register(*, as_json: bool, home: Path | None, **given: Any) -> None:  # noqa: ANN401 - click hands over what parsing checks
    """Register a TPP: bank tenant, OAuth client, certificates, files in certs/tpps/NAME.

    May be run again: what is done already is kept, what is missing is put right.
    """
    said = client_metadata(given)
    request = registration_of({**given, "client_metadata": said})
    services = services_for(home)
    request = _with_own_keys(request, services)
    registered, folder = register_here(services, request)
    if as_json:
        print_json(
            {
                **client_data(registered.tpp, services.addresses),
                "folder": str(folder.path),
                "issued": sorted(registered.certificates),
                "personas": list(registered.personas),
            }
        )
        return
    issued = ", ".join(kind.value for kind in registered.certificates) or "none, those at hand are good"
    click.secho(f"{registered.tpp.name} is registered as {registered.tpp.authorisation_number}", bold=True)
    told = [("folder", str(folder.path)), ("client id", registered.tpp.client_id), *_client(registered.tpp, folder.path)]
    print_table("", ("", ""), [*told, ("issued", issued)])
    personas = [(str(who["psu"]), str(who["password"]), str(who.get("purpose", ""))) for who in registered.personas]
    print_table("Who can log in at its bank", ("psu", "password", "for"), personas)
    click.echo(f"next: {typed('tpp')} journey ais --tpp {registered.tpp.name}")


def _client(registered: Tpp, folder: Path) -> list[tuple[str, str]]:
    """Return how the client speaks, and which keys of its own lie in the folder for that."""
    method = registered.client_metadata.get("token_endpoint_auth_method", "tls_client_auth")
    names = (*client_key.NAMES, "client.crt")
    keys = ", ".join(name for name in names if (folder / name).is_file())
    return [("client", f"{registered.profile}, authenticates by {method}"), *([("its keys", keys)] if keys else [])]


def _with_own_keys(request: RegistrationRequest, services: Services) -> RegistrationRequest:
    folder = services.settings.home.tpp(request.name)
    client = amendment_for(dict(request.client_metadata), request.profile, services, folder)
    return replace(request, client_metadata=client.client_metadata)


def registration_of(given: dict[str, Any]) -> RegistrationRequest:
    """Return what was asked for on the command line, checked; raises `RegistrationRefused`."""
    document = {name: value for name, value in given.items() if value not in (None, {})}
    return parse_registration({**document, "redirect_uris": list(given["redirect_uris"])})


def register_here(services: Services, request: RegistrationRequest) -> tuple[Registered, TppFolder]:
    """Register and write the TPP's files."""
    folder = TppFolder(services.settings.home, request.name)
    holdings = folder.holdings(services.authority.certificates(request.name), now=services.clock.now())
    registered = services.register.ensure_registered(request, holdings=holdings)
    for issued in registered.certificates.values():
        folder.write_certificate(issued)
    folder.write_client(client_data(registered.tpp, services.addresses), registered.access_token)
    return registered, folder


@tpp.command(name="list")
@json_option
@home_option
def list_(*, as_json: bool, home: Path | None) -> None:
    """List the TPPs."""
    services = services_for(home)
    tpps = services.register.all()
    if as_json:
        print_json([client_data(each, services.addresses) for each in tpps])
        return
    rows = [_row(each) for each in tpps]
    print_table("", ("name", "authorisation number", "roles", "profile", "status"), rows)


def _row(each: Tpp) -> tuple[str, ...]:
    roles = ", ".join(sorted(role.licence for role in each.roles))
    return each.name, str(each.authorisation_number), roles, each.profile.value, each.status.value


@tpp.command()
@click.argument("name")
@click.option("--reason", help="why; the TPP's own pages show it")
@json_option
@home_option
def block(*, name: str, reason: str | None, as_json: bool, home: Path | None) -> None:
    """Keep a TPP out: the gateway refuses it within a second, whatever it presents."""
    _set_blocked(services_for(home), name, blocked=True, reason=reason, as_json=as_json)


@tpp.command()
@click.argument("name")
@json_option
@home_option
def unblock(*, name: str, as_json: bool, home: Path | None) -> None:
    """Let a blocked TPP in again."""
    _set_blocked(services_for(home), name, blocked=False, as_json=as_json)


def _set_blocked(services: Services, name: str, *, blocked: bool, as_json: bool, reason: str | None = None) -> None:
    changed = services.register.set_blocked(services.register.require(name), blocked=blocked, reason=reason)
    if as_json:
        print_json(client_data(changed, services.addresses))
    else:
        click.echo(f"{changed.name} is {changed.status.value}")


@tpp.command()
@click.argument("name")
@home_option
def remove(*, name: str, home: Path | None) -> None:
    """Take a TPP out: its client, its tokens and its certificates end. Its files and its bank stay."""
    services = services_for(home)
    gone = services.register.require(name)
    services.register.remove(gone)
    try:
        services.trust.deliver_changes()
    except (PeerUnavailable, PeerRefused) as error:
        click.echo(
            f"the gateway has not taken the revocations yet ({error}); the portal delivers them as soon as it can", err=True
        )
    click.echo(f"{gone.name} is removed")


tpp.add_command(change_client)
tpp.add_command(rotate_key)

"""`sandbox tpp change-client`: another profile, other keys, another way to authenticate, for a TPP that is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.client_options import client_metadata, client_options
from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.terminal import print_json
from sandbox.tpps import client_key
from sandbox.tpps.client_certificate import with_own_certificate
from sandbox.tpps.client_data import client_data
from sandbox.tpps.client_key import with_own_key
from sandbox.tpps.folder import TppFolder
from sandbox.tpps.model import ClientAmendment
from sandbox.tpps.parsing import parse_client_amendment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.services import Services
    from sandbox.tpps.model import Profile


@click.command("change-client")
@click.argument("name")
@client_options
@json_option
@home_option
def change_client(*, name: str, as_json: bool, home: Path | None, **given: Any) -> None:  # noqa: ANN401 - click hands over what is parsed
    """Register a TPP's OAuth client anew: what is left out returns to its default, the client id stays."""
    said = parse_client_amendment({"profile": given["profile"], "client_metadata": client_metadata(given)})
    services = services_for(home)
    standing = services.register.require(name)
    folder = TppFolder(services.settings.home, standing.name)
    amendment = amendment_for(dict(said.client_metadata), said.profile, services, folder.path)
    changed = services.register.ownership.amend_client(standing, amendment)
    data = client_data(changed, services.addresses)
    folder.refresh_client(data)
    if as_json:
        print_json(data)
        return
    click.echo(f"{changed.name}'s client is {changed.profile} now, and authenticates by {data['token_endpoint_auth_method']}")


def amendment_for(said: dict[str, Any], profile: Profile, services: Services, folder: Path) -> ClientAmendment:
    """Return the client as it is to be, with the public halves of the keys, and the certificate, that lie in the folder."""
    metadata = with_own_key(said, profile, folder)
    now, key = services.clock.now(), folder / client_key.NAME
    certified = with_own_certificate(metadata, key, name=folder.name, now=now)
    return ClientAmendment(profile=profile, client_metadata=certified)

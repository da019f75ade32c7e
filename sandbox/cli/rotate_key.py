"""`sandbox tpp rotate-key`: another key for a client that signs, without a moment in which it can't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.client_options import FILE, read_keys
from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.terminal import print_json
from sandbox.tpps.client_certificate import with_own_certificate
from sandbox.tpps.client_data import client_data
from sandbox.tpps.client_key import NAME, NEXT, next_keys, put_next_in_use
from sandbox.tpps.folder import TppFolder
from sandbox.tpps.model import ClientAmendment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.services import Services
    from sandbox.tpps.model import Tpp


@click.command("rotate-key")
@click.argument("name")
@click.option("--at-once", is_flag=True, help="The key before ends now. Without it, it is good until the next rotation.")
@click.option("--jwks", type=FILE, help="Register these public keys instead: those of a client that keeps its keys elsewhere.")
@json_option
@home_option
def rotate_key(*, name: str, at_once: bool, jwks: Path | None, as_json: bool, home: Path | None) -> None:
    """Have a client sign with another key: registered first, then put in use as client.key."""
    services = services_for(home)
    standing = services.register.require(name)
    folder = TppFolder(services.settings.home, standing.name)
    if jwks is not None:
        changed = _registered(services, standing, {**standing.client_metadata, "jwks": read_keys(jwks)})
    else:
        _require_own_key(standing, folder.path)
        changed = _registered(services, standing, _with_next_key(services, standing, folder.path, at_once=at_once))
        put_next_in_use(folder.path)
    folder.refresh_client(client_data(changed, services.addresses))
    _tell(changed, folder.path, as_json=as_json)


def _with_next_key(services: Services, standing: Tpp, folder: Path, *, at_once: bool) -> dict[str, Any]:
    keys = next_keys(folder, standing.client_metadata["jwks"], at_once=at_once)
    metadata = {**standing.client_metadata, "jwks": keys}
    return with_own_certificate(metadata, folder / NEXT, name=standing.name, now=services.clock.now())


def _registered(services: Services, standing: Tpp, metadata: dict[str, Any]) -> Tpp:
    amendment = ClientAmendment(profile=standing.profile, client_metadata=metadata)
    return services.register.ownership.amend_client(standing, amendment)


def _require_own_key(tpp: Tpp, folder: Path) -> None:
    if "jwks_uri" in tpp.client_metadata:
        address = tpp.client_metadata["jwks_uri"]
        raise click.UsageError(f"{tpp.name} publishes its keys at {address}: publish the new key there, then sign with it")
    if "jwks" not in tpp.client_metadata:
        raise click.UsageError(f"{tpp.name} has registered no keys: its client does not sign")
    if not (folder / NAME).is_file():
        raise click.UsageError(f"{folder / NAME} is not here: bring the public keys with --jwks FILE")


def _tell(tpp: Tpp, folder: Path, *, as_json: bool) -> None:
    keys = tpp.client_metadata["jwks"].get("keys", [])
    if as_json:
        print_json({"name": tpp.name, "folder": str(folder), "jwks": tpp.client_metadata["jwks"]})
        return
    names = ", ".join(str(key.get("kid", "without a name")) for key in keys)
    click.echo(f"{tpp.name} signs with another key now; the bank takes {len(keys)}: {names}")

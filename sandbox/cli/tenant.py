"""What commands about a TPP's bank share: which TPP, and how the bank is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.options import services_for

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.authorisation_number import AuthorisationNumber
    from sandbox.tenants.levers import Levers

tpp_option = click.option("--tpp", "tpp_name", required=True, metavar="NAME", help="The TPP whose bank it is.")


def bank_of(home: Path | None, tpp_name: str) -> tuple[Levers, AuthorisationNumber]:
    """Return what shapes the bank of a TPP, and the TPP's number; raises `UnknownTpp`."""
    services = services_for(home)
    return services.levers, services.register.require(tpp_name).authorisation_number

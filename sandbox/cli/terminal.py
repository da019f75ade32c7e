"""What commands print: tables for people, one JSON document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import orjson
from rich.console import Console
from rich.table import Table

from sandbox.tpps.client_data import PublicAddresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.config import SandboxSettings


def print_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their column names; long words wrap, none is cut."""
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="dim")
    table.box, table.pad_edge, table.show_header = None, False, any(columns)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)


def print_addresses(settings: SandboxSettings) -> None:
    """Print where the platform answers."""
    addresses = PublicAddresses(settings.public_host, settings.ports)
    rows = [
        (addresses.welcome, "anybody", "welcome page, root certificate, CRL, OCSP"),
        (addresses.portal, "browsers", "portal and registration"),
        (addresses.front, "browsers", "authorization, discovery, the bank's pages"),
        (addresses.edge, "TPPs", "mutual TLS: tokens, accounts, payments"),
        (addresses.demo, "browsers", "Kontoblick, a TPP as a person sees it"),
    ]
    print_table("", ("address", "for", "what"), rows)


def address_document(settings: SandboxSettings) -> dict[str, str]:
    """Return where the platform answers, as JSON."""
    addresses = PublicAddresses(settings.public_host, settings.ports)
    return {
        "welcome": addresses.welcome,
        "portal": addresses.portal,
        "front": addresses.front,
        "edge": addresses.edge,
        "demo": addresses.demo,
    }

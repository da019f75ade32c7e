"""What commands print: tables for people, one JSON document for programs."""

from __future__ import annotations

import os
import ssl
import sys
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import click
import orjson
from rich.console import Console
from rich.table import Table

from sandbox.tpps.client_data import PublicAddresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.config import SandboxSettings


@contextmanager
def told_if_anybody_reads() -> Iterator[None]:
    """Print in the block; once nobody reads any more (`sandbox up | head`), drop what is said, then and later."""
    try:
        yield
    except BrokenPipeError:
        # Closing does not help: what stands in the buffer would fail once more when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


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
    console = Console(highlight=False, markup=False)
    with console.capture() as rendered:
        console.print(table)
    click.echo(rendered.get(), nl=False)  # rich itself would end the process where nobody reads


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


def print_root_certificate(settings: SandboxSettings) -> None:
    """Print where the certificate is that a browser has to trust, and what to recognise it by."""
    bundle = settings.home.trust_bundle
    fingerprint = sha256(ssl.PEM_cert_to_DER_cert(bundle.read_text())).digest().hex(":").upper()
    click.echo(f"root certificate  {bundle}")
    click.echo(f"SHA-256           {fingerprint}")


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

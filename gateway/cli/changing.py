"""`gateway apply`, `diff`, `delete`, `rollback`: changes, each of which can be tried first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from gateway.cli.options import with_gateway
from gateway.cli.printing import print_changes, print_json
from gateway.cli.reading import document_path
from gateway.cli.statuses import DIFFERS
from gateway.configuration.files import read_documents
from gateway.configuration.versions import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.cli.control_api import ControlApi

_files = click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A .toml or .json file of documents, or a folder of them; as often as needed.",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")


@click.command()
@_files
@_dry_run
@with_gateway
def apply(api: ControlApi, *, files: Sequence[Path], dry_run: bool, as_json: bool) -> int:
    """Make all documents of the files what is in force, or none of them."""
    changes = _applied(api, files, dry_run=dry_run)
    _print(changes, dry_run=dry_run, as_json=as_json)
    return _status(changes) if dry_run else 0


@click.command()
@_files
@with_gateway
def diff(api: ControlApi, *, files: Sequence[Path], as_json: bool) -> int:
    """Tell what `gateway apply` would change; exit status 1 where something differs."""
    changes = _applied(api, files, dry_run=True)
    _print(changes, dry_run=True, as_json=as_json)
    return _status(changes)


@click.command()
@click.argument("kind")
@click.argument("name")
@_dry_run
@with_gateway
def delete(api: ControlApi, *, kind: str, name: str, dry_run: bool, as_json: bool) -> int:
    """Delete a document that no other one uses."""
    path = document_path(kind, name)
    changed = api.change("DELETE", path, headers={"If-Match": api.etag(path) or "*"}, dry_run=dry_run)
    _print([changed], dry_run=dry_run, as_json=as_json)
    return _status([changed]) if dry_run else 0


@click.command()
@click.argument("kind")
@click.argument("name")
@click.option("--to", "version", type=int, required=True, help="The version to come back to; `gateway history` lists them.")
@_dry_run
@with_gateway
def rollback(api: ControlApi, *, kind: str, name: str, version: int, dry_run: bool, as_json: bool) -> int:
    """Make a document again what an earlier version of it was; one that was deleted comes back."""
    path = document_path(kind, name)
    standing = api.etag(path)
    seen = {"If-Match": standing} if standing else {"If-None-Match": "*"}
    changed = api.change("POST", f"{path}/rollback", {"version": version}, headers=seen, dry_run=dry_run)
    _print([changed], dry_run=dry_run, as_json=as_json)
    return _status([changed]) if dry_run else 0


def _applied(api: ControlApi, files: Sequence[Path], *, dry_run: bool) -> list[dict[str, Any]]:
    changes = [
        # By way of the canonical text: what JSON can't say, TOML's dates for example, is refused here.
        {"kind": document.kind, "name": document.name, "document": orjson.loads(canonical(document.body))}
        for document in read_documents(files)
    ]
    applied: list[dict[str, Any]] = api.change("POST", "/config", {"changes": changes}, dry_run=dry_run)["changes"]
    return applied


def _print(changes: Sequence[dict[str, Any]], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": dry_run, "changes": changes})
    else:
        print_changes(changes, is_dry_run=dry_run)


def _status(changes: Sequence[dict[str, Any]]) -> int:
    return DIFFERS if any(change["action"] != "unchanged" for change in changes) else 0

"""`gateway get`, `describe`, `history`: what is configured, what it comes to, and what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from gateway.cli.options import with_gateway
from gateway.cli.printing import difference_line, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.cli.control_api import ControlApi


@click.command()
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--version", type=int, help="An earlier version.")
@with_gateway
def get(api: ControlApi, *, kind: str | None, name: str | None, version: int | None, as_json: bool) -> None:
    """List kinds, or a KIND's documents, or print one document as a file that `gateway apply` takes."""
    if kind is None:
        _print_kinds(api.get("/config"), as_json=as_json)
    elif name is None:
        _print_documents(_documents(api, kind), as_json=as_json)
    else:
        page = api.get(document_path(kind, name), version=version)
        print_json(page if as_json else {kind: {name: page["document"]}})


@click.command()
@click.argument("kind")
@click.argument("name")
@with_gateway
def describe(api: ControlApi, *, kind: str, name: str, as_json: bool) -> None:
    """Say what a document comes to, whom it uses and who uses it."""
    page = api.get(document_path(kind, name))
    if as_json:
        print_json(page)
        return
    say(f"{kind}/{name}: version {page['version']} by {page['actor']} ({page['origin']}), {page['at']}")
    for heading in ("description", "references", "used_by"):
        _print_indented(heading.replace("_", " "), page[heading], "")


@click.command()
@click.argument("kind")
@click.argument("name")
@with_gateway
def history(api: ControlApi, *, kind: str, name: str, as_json: bool) -> None:
    """List a document's versions, newest first, with what each changed."""
    versions = api.get(f"{document_path(kind, name)}/history")["versions"]
    if as_json:
        print_json(versions)
        return
    for version in versions:
        deleted = " deleted" if version["deleted"] else ""
        say(f"version {version['version']}{deleted} by {version['actor']} ({version['origin']}), {version['at']}")
        for entry in version["difference"]:
            say(f"    {difference_line(entry)}")


def document_path(kind: str, name: str) -> str:
    """Return where a document is."""
    return f"/config/{quote(kind, safe='')}/{quote(name, safe='')}"


def _documents(api: ControlApi, kind: str) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = api.get(f"/config/{quote(kind, safe='')}", after=after)
        documents += page["documents"]
        after = page["next"]
        if after is None:
            return documents


def _print_kinds(overview: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(overview)
        return
    print_table(
        ("kind", "documents", "what"), [(kind["name"], kind["documents"], kind["summary"]) for kind in overview["kinds"]]
    )
    for fault in overview["faults"]:
        say(f"not in force: {fault['document']}: {fault['field']}: {fault['problem']}", err=True)


def _print_documents(documents: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(documents)
        return
    rows = [(each["name"], each["version"], each["origin"], each["actor"], each["at"]) for each in documents]
    print_table(("name", "version", "origin", "actor", "at"), rows)


def _print_indented(heading: str, value: object, indent: str) -> None:
    if isinstance(value, dict):
        say(f"{indent}{heading}:")
        for key, inner in value.items():
            _print_indented(key, inner, f"{indent}  ")
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        say(f"{indent}{heading}:")
        for inner in value:
            _print_indented("-", inner, f"{indent}  ")
    elif value not in (None, [], {}):
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        say(f"{indent}{heading}: {text}")

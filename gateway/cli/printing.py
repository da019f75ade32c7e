"""What commands print: tables and differences for people, one JSON document for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SIGNS: Final = {"created": "+", "replaced": "~", "deleted": "-", "unchanged": "="}


def say(line: str, *, err: bool = False) -> None:
    """Print one line. Whatever a stranger managed to register, it moves no cursor, hides nothing and turns no text around."""
    click.echo(_plain(line), err=err)


def print_json(document: object) -> None:
    """Print one JSON document."""
    for line in orjson.dumps(document, option=orjson.OPT_INDENT_2).decode().split("\n"):
        say(line)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their column names."""
    texts = [[_plain(str(cell)) if cell is not None else "" for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    for row in texts:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_changes(changes: Sequence[Mapping[str, Any]], *, is_dry_run: bool) -> None:
    """Print what became, or would become, of each document."""
    changed = [change for change in changes if change["action"] != "unchanged"]
    for change in changed:
        say(f"{_SIGNS[change['action']]} {change['kind']}/{change['name']} {change['action']}{_version(change, is_dry_run)}")
        for entry in change["difference"]:
            say(f"    {difference_line(entry)}")
    if not changed:
        say("nothing differs" if is_dry_run else "nothing to do")


def difference_line(entry: Mapping[str, Any]) -> str:
    """Return one field's change: `routes[0].path: "/a" → "/b"`."""
    sides = [_value(entry[side]) if side in entry else "(none)" for side in ("before", "after")]
    return f"{entry['field']}: {' → '.join(sides)}"


def _version(change: Mapping[str, Any], is_dry_run: bool) -> str:  # noqa: FBT001 - of a private function
    return "" if is_dry_run else f" (version {change['version']})"


def _value(value: object) -> str:
    return orjson.dumps(value).decode()


def _plain(text: str) -> str:
    """Return the text with what can't be seen as JSON would escape it, so that JSON stays what it was."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)

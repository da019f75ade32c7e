"""Reads documents from TOML and JSON files: top-level tables are kinds, the tables in them documents by name.

[plans.gold]              {"plans": {"gold": {"rate": 10}}}
rate = 10
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.configuration.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_BYTES: Final = 4 * 1024 * 1024
_SUFFIXES: Final = (".toml", ".json")


class FileRefused(ValueError):
    """A file that holds no documents; the message names the file, the place, and what would be right."""


def read_documents(paths: Iterable[Path]) -> list[Document]:
    """Return the documents of files, and of folders' .toml and .json files by name; raises `FileRefused`."""
    documents: dict[str, tuple[Document, Path]] = {}
    for path in _files(paths):
        for document in parse_documents(_text(path), where=str(path), is_json=path.suffix == ".json"):
            _document, earlier = documents.setdefault(document.place, (document, path))
            if earlier != path:
                raise FileRefused(f"{path}: {document.place} is in {earlier} too: write it once")
    return [document for document, _path in documents.values()]


def parse_documents(text: str, *, where: str, is_json: bool = False) -> list[Document]:
    """Return the documents of a file's text; raises `FileRefused`."""
    try:
        kinds = orjson.loads(text) if is_json else tomllib.loads(text)
    except (tomllib.TOMLDecodeError, orjson.JSONDecodeError, RecursionError) as error:
        raise FileRefused(f"{where} is no {'JSON' if is_json else 'TOML'}: {error}") from error
    return [
        Document(kind, name, body)
        for kind, names in _tables(kinds, where, "kinds").items()
        for name, body in _tables(names, f"{where}: {kind}", "documents by name").items()
    ]


def _tables(value: Any, where: str, what: str) -> dict[str, Any]:  # noqa: ANN401 - whatever the file says
    if not isinstance(value, dict):
        raise FileRefused(f"{where}: a table of {what} was expected, found {value!r:.80}")
    for name, inner in value.items():
        if not isinstance(inner, dict):
            raise FileRefused(f"{where}: {name} is {inner!r:.80}, a table was expected: write [KIND.NAME] and its fields below")
    return value


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES) if path.is_dir() else [path]
    return files


def _text(path: Path) -> str:
    if path.suffix not in _SUFFIXES:
        raise FileRefused(f"{path}: files of documents end in .toml or .json")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise FileRefused(f"{path} has {size} bytes: at most {MOST_BYTES} are read")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(f"{path} can't be read: {error}") from error

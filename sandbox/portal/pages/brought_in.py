"""Test data that a browser sends: one JSON document, a ZIP archive of CSV files, or those files as they are."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final

from flask import request

from sandbox.portal.visitor import current_visitor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask
    from werkzeug.datastructures import FileStorage

# What the bank takes: all of a seeded one as JSON is 8 MB. The edge's bound for this page is the form's.
MOST_FILE_BYTES: Final = 10 * 1024 * 1024
_MOST_FORM_BYTES: Final = MOST_FILE_BYTES + 64 * 1024
_MOST_FILES: Final = 4
_ZIP_BEGINS: Final = b"PK"


class UploadRefused(ValueError):
    """Files that are not looked into further; the text says what would be right."""


def take_larger_forms(app: Flask, endpoint: str) -> None:
    """Let `endpoint` take more than a form's usual bytes, from whoever is signed in; before anything reads the form."""

    def widen() -> None:
        if request.endpoint == endpoint and current_visitor() is not None:
            request.max_content_length = _MOST_FORM_BYTES

    app.before_request(widen)


def read_files(files: Sequence[FileStorage]) -> tuple[bytes, str]:
    """Return the content and its format, `json` or `csv`, as the bank takes them; raises `UploadRefused`."""
    sent = [(file.filename or "", file) for file in files if file.filename]
    if not sent:
        raise UploadRefused("Choose a file: JSON, a ZIP archive of CSV files, or the CSV files.")
    if len(sent) > _MOST_FILES:
        raise UploadRefused(f"Choose at most {_MOST_FILES} files: psus.csv, accounts.csv, transactions.csv, balances.csv.")
    contents = _read(sent)
    if all(name.lower().endswith(".csv") for name, _ in contents):
        return _archive(contents), "csv"
    if len(contents) > 1:
        raise UploadRefused("Choose one JSON file, one ZIP archive, or CSV files only.")
    content = contents[0][1]
    return content, "csv" if content.startswith(_ZIP_BEGINS) else "json"


def _read(sent: Sequence[tuple[str, FileStorage]]) -> list[tuple[str, bytes]]:
    contents, left = [], MOST_FILE_BYTES
    for name, file in sent:
        content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise UploadRefused(
                f"That is more than {MOST_FILE_BYTES // 1024:,} KiB, which is the most that is taken here. "
                "Put CSV files into a ZIP archive."
            )
        if not content:
            raise UploadRefused(f"{name[:60]} is empty.")
        contents.append((name, content))
    return contents


def _archive(contents: Sequence[tuple[str, bytes]]) -> bytes:
    names = [name.lower() for name, _ in contents]
    if len(set(names)) != len(names):
        raise UploadRefused("Two of the files have one name: there is one file for each of people, accounts and so on.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents:
            archive.writestr(name.lower(), content)
    return buffer.getvalue()

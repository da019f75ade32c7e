"""Lines of test data as bytes: one JSON document, or a ZIP archive of CSV files (RFC 4180)."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

import orjson

from bank_backend.data.cells import as_cell
from bank_backend.data.lines import FILES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The same data make the same archive, whenever.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)


def as_json(lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Return one document; columns that say nothing are left out."""
    return orjson.dumps({name: [_said(line) for line in each] for name, each in lines.items()}, option=orjson.OPT_INDENT_2)


def as_zip(lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """Return an archive with a CSV file for each list."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in lines.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.csv", _MOMENT), _csv(name, each), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _csv(name: str, lines: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    columns = list(FILES[name].model_fields)
    writer.writerow(columns)
    writer.writerows([_cell(line.get(column)) for column in columns] for line in lines)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return as_cell(" ".join(value))
    return orjson.dumps(value).decode() if isinstance(value, dict) else as_cell(str(value))


def _said(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value not in (None, "")}

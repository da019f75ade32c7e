"""Test data as bytes, read into lines: one JSON document, or a ZIP archive of CSV files (RFC 4180)."""

from __future__ import annotations

import csv
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

from bank_backend.data.cells import from_cell
from bank_backend.data.faulty_lines import DataFaulty, DataTooLarge, DataUnreadable, FaultyLine
from bank_backend.data.lines import FILES, MOST_LINES, AccountLine, BalanceLine, PsuLine, TransactionLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bank_backend.data.lines import Line

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_UNPACKED_BYTES: Final = 32 * 1024 * 1024
_OBJECTS: Final = ("particulars", "exchange")
_HEADER_LINES: Final = 1
# The last three are of the ways of compressing, for what they can't unpack.
_NO_ARCHIVE: Final = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """The lines of the files, each with its number."""

    psus: list[tuple[int, PsuLine]]
    accounts: list[tuple[int, AccountLine]]
    transactions: list[tuple[int, TransactionLine]]
    balances: list[tuple[int, BalanceLine]]


def read_json(data: bytes) -> Numbered:
    """Read one document with a list for each file; raises `DataFaulty`, `DataTooLarge`, `DataUnreadable`."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DataUnreadable(f"the body is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    if not isinstance(document, dict) or not all(isinstance(document.get(name, []), list) for name in FILES):
        raise DataUnreadable(f"write one JSON object with lists: {', '.join(FILES)}")
    strange = sorted(document.keys() - FILES.keys() - {"tenant", "exportedAt"})
    if strange:
        raise DataUnreadable(f"{strange[0][:40]!r} is not known: the lists are {', '.join(FILES)}")
    try:
        return _read({name: list(enumerate(map(_flat, document.get(name, [])), start=1)) for name in FILES})
    except orjson.JSONEncodeError:
        raise DataUnreadable("an object in a line is nested deeper than any that is exported") from None


def read_zip(data: bytes) -> Numbered:
    """Read an archive with `psus.csv`, `accounts.csv`, …; raises `DataFaulty`, `DataTooLarge`, `DataUnreadable`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts = _unpacked(archive)
    except _NO_ARCHIVE as error:
        raise DataUnreadable(f"the body is no ZIP archive: {error}") from None
    return _read({name: _csv_lines(name, texts.get(f"{name}.csv", "")) for name in FILES})


def _unpacked(archive: zipfile.ZipFile) -> dict[str, str]:
    known = {f"{name}.csv" for name in FILES}
    strange = sorted(entry.filename for entry in archive.infolist() if entry.filename not in known)
    if strange:
        raise DataUnreadable(f"the archive holds {strange[0][:60]!r}: put {', '.join(sorted(known))} into it, in no folder")
    if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED_BYTES:
        raise _too_large()
    texts, left = {}, MOST_UNPACKED_BYTES
    for entry in archive.infolist():
        # What an archive says of its sizes is a claim.
        with archive.open(entry) as file:
            data = file.read(left + 1)
        left -= len(data)
        if left < 0:
            raise _too_large()
        texts[entry.filename] = _decoded(entry.filename, data)
    return texts


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataFaulty([FaultyLine(name.removesuffix(".csv"), line, "", "is no UTF-8: save the file as UTF-8")]) from None


def _csv_lines(name: str, text: str) -> list[tuple[int, object]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, object]] = []
    try:
        columns = next(reader, [])
        _require_columns(name, columns)
        for row in reader:
            if not row:
                continue
            if len(row) != len(columns):
                fault = FaultyLine(name, reader.line_num, "", f"has {len(row)} columns, the header has {len(columns)}")
                raise DataFaulty([fault])
            lines.append(
                (reader.line_num, {column: from_cell(cell) for column, cell in zip(columns, row, strict=True) if cell})
            )
    except csv.Error as error:
        text_of = f"is no CSV (RFC 4180): {error}"
        raise DataFaulty([FaultyLine(name, reader.line_num, "", text_of)]) from None
    return lines


def _require_columns(name: str, columns: Sequence[str]) -> None:
    known = FILES[name].model_fields
    faults = [
        FaultyLine(name, _HEADER_LINES, column[:40], f"is no column: there are {', '.join(known)}")
        for column in columns
        if column not in known
    ]
    if len(set(columns)) != len(columns):
        faults.append(FaultyLine(name, _HEADER_LINES, "", "names a column twice"))
    if faults:
        raise DataFaulty(faults)


def _flat(line: object) -> object:
    """Return a JSON line as CSV has it: lists as words, objects as JSON."""
    if not isinstance(line, dict):
        return line
    flat = {name: value for name, value in line.items() if value is not None}
    if isinstance(flat.get("holders"), list):
        flat["holders"] = " ".join(map(str, flat["holders"]))
    return flat | {name: orjson.dumps(flat[name]).decode() for name in _OBJECTS if isinstance(flat.get(name), dict)}


def _read(files: dict[str, list[tuple[int, object]]]) -> Numbered:
    faults: list[FaultyLine] = []
    lines: dict[str, Any] = {}
    for name, found in files.items():
        if len(found) > MOST_LINES[name]:
            raise DataTooLarge(f"{name} has {len(found)} lines: at most {MOST_LINES[name]} are taken")
        lines[name] = list(_valid(name, found, faults))
    if faults:
        raise DataFaulty(faults)
    return Numbered(**lines)


def _valid(name: str, found: Iterable[tuple[int, object]], faults: list[FaultyLine]) -> Iterable[tuple[int, Line]]:
    model = FILES[name]
    for number, line in found:
        try:
            yield number, model.model_validate(line)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_context=False):
                column = str(fault["loc"][0]) if fault["loc"] else ""
                faults.append(FaultyLine(name, number, column, _reason(fault["type"], fault["msg"], model)))


def _reason(kind: str, message: str, model: type[Line]) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return f"is no column: there are {', '.join(model.model_fields)}"
    text = message.removeprefix("Value error, ")
    return f"is wrong: {text[:1].lower()}{text[1:]}"


def _too_large() -> DataTooLarge:
    return DataTooLarge(f"unpacked it is more than {MOST_UNPACKED_BYTES // 1024 // 1024} MiB, which is the most that is taken")

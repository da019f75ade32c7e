"""What is wrong with test data that somebody brings in: line by line, with what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bank_backend.errors import BankError
from psd2.tpp_messages import MessageCode

# Beyond, one mistake was made everywhere: whoever mends these mends the others too.
MOST_TOLD: Final = 200


@dataclass(frozen=True, slots=True, order=True)
class FaultyLine:
    """A mistake. `line` is the line of the CSV file (the header is line 1), or the place in the JSON list, from 1."""

    file: str
    line: int
    column: str
    text: str

    def as_json(self) -> dict[str, object]:
        """Write it."""
        return {"file": self.file, "line": self.line, "column": self.column, "text": self.text}


class DataFaulty(BankError):
    """Test data with mistakes; none of it was taken (422)."""

    code = MessageCode.FORMAT_ERROR
    problem_code = "data.lines"
    title = "Lines of the test data are wrong"
    fixed_status = 422

    def __init__(self, lines: list[FaultyLine]) -> None:
        """Refuse, naming each line."""
        first = lines[0]
        count = f"{len(lines)} mistakes" if len(lines) > 1 else "one mistake"
        where = f"{first.file}, line {first.line}" + (f", {first.column}" if first.column else "")
        super().__init__(f"{count}, and nothing was imported; the first: {where}: {first.text}")
        self.lines = sorted(lines)[:MOST_TOLD]
        self.count = len(lines)


class DataTooLarge(BankError):
    """More test data than a tenant may have (413)."""

    code = MessageCode.FORMAT_ERROR
    problem_code = "data.size"
    title = "There is too much test data"
    fixed_status = 413


class DataUnreadable(BankError):
    """A body that is neither JSON nor a ZIP archive of the CSV files (400)."""

    code = MessageCode.FORMAT_ERROR
    problem_code = "data.format"
    title = "The test data can't be read"

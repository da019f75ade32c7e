"""Fields of an answer that many answers have in common, written once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


class AnswerFields:
    """Fields, names in lower case, also as lines of HTTP/1.1; whether length and date are among them."""

    __slots__ = ("fields", "is_counted", "is_dated", "lines")

    def __init__(self, fields: Sequence[tuple[bytes, bytes]]) -> None:
        """Write them."""
        names = {name for name, _ in fields}
        self.fields = fields
        self.lines = b"".join([b"%b: %b\r\n" % field for field in fields])
        self.is_counted, self.is_dated = b"content-length" in names, b"date" in names


NO_FIELDS: Final = AnswerFields(())

"""Lines of a head, read strictly (RFC 9112 §2.2, §5; RFC 9110 §5.5): what two programs could read differently is no line.

Bare CR or LF, obsolete folding, white space before the colon, controls: nothing of it matches.
"""

from __future__ import annotations

import re
from typing import Final

HEAD_END: Final = b"\r\n\r\n"
_LINE_END: Final = b"\r\n"
_MOST_LENGTH_DIGITS: Final = 18  # 63 bits hold them
# RFC 9110 §5.6.2 (token), §5.5 (field value).
_FIELD: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):([\t -~\x80-\xff]*+)")


class MalformedLine(ValueError):
    """A line that is no field line; the message says so without quoting it."""


def split_head(head: bytes) -> list[bytes]:
    """Return the lines of a head that ends in an empty line: the first one, then the fields'."""
    return head[: -len(HEAD_END)].split(_LINE_END)


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """Return name (in lower case) and value; raises `MalformedLine`."""
    match = _FIELD.fullmatch(line)
    if match is None:
        raise MalformedLine("a header line is not well-formed")
    return match[1].lower(), match[2].strip(b" \t")


def is_length(value: bytes) -> bool:
    """Whether this is a Content-Length that every program reads alike (RFC 9110 §8.6): digits, and not without end."""
    return value.isdigit() and len(value) <= _MOST_LENGTH_DIGITS


def has_bare_line_feed(buffer: bytes, start: int) -> bool:
    """Whether a line of `buffer` that ends at `start` or later ends in LF alone."""
    start = max(0, start - 1)
    return buffer.count(b"\n", start) != buffer.count(_LINE_END, start) + buffer.startswith(b"\n", start) * (start > 0)

"""Writing a value into another language so that it stays a value there, whatever it holds."""

from __future__ import annotations

import json
from urllib.parse import quote


class UnwritableValue(ValueError):
    """A value with characters that nobody sees: a terminal could take them for the end of what is pasted."""


def shell_quoted(text: str) -> str:
    r"""Return the text as one word of bash, zsh and sh; raises `UnwritableValue`.

    Always quoted: `shlex.quote` leaves `=x` and `~` bare, which zsh expands. Inside single quotes nothing is expanded, not even
    the history of an interactive shell; a single quote itself is written outside of them, as `\'`.
    """
    return "'" + _seen(text).replace("'", "'\\''") + "'"


def shell_quoted_lines(*lines: str) -> str:
    """Return one word of several lines, for people to read: what it carries is JSON, to which line ends mean nothing."""
    return "'" + "\n      ".join(shell_quoted(line)[1:-1] for line in lines) + "'"


def python_literal(text: str) -> str:
    """Return the text as a Python string; raises `UnwritableValue`."""
    return repr(_seen(text))


def json_text(text: str) -> str:
    """Return the text as a JSON string, ASCII only; raises `UnwritableValue`."""
    return json.dumps(_seen(text))


def query_value(text: str) -> str:
    """Return the text percent-encoded: what is left means nothing to a URL, a shell or JSON."""
    return quote(text, safe="")


def _seen(text: str) -> str:
    if not text.isprintable():
        raise UnwritableValue(f"{text[:40]!r} holds characters that can't be seen: it is not written into a sample")
    return text

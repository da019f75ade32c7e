"""A value stays a value in every language that a sample is written in."""

from __future__ import annotations

import ast
import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.samples.quoting import UnwritableValue, json_text, python_literal, query_value, shell_quoted, shell_quoted_lines

# Everything that somebody has ever broken out of quotes with.
NASTY = [
    "it's",
    "'; touch pwned; '",
    "$(touch pwned)",
    "`touch pwned`",
    '"$HOME"',
    "a\\'b\\",
    "!!",
    "=ls",
    "~",
    "-n",
    "*",
    "'''",
    '""" + x + """',
    "{{psu}}",
    "ü€𝄞",
    "",
]
visible = st.text().filter(str.isprintable)


def through_bash(words: list[str]) -> list[str]:
    """Return what bash makes of the words."""
    script = "printf '%s\\0' " + " ".join(shell_quoted(word) for word in words)
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, timeout=10)
    return done.stdout.decode().split("\0")[:-1]


def test_bash_takes_each_for_one_word_as_it_is() -> None:
    """Nothing is expanded, nothing is run."""
    assert through_bash(NASTY) == NASTY


def test_a_body_of_several_lines_is_one_word_still() -> None:
    """Each of its lines quoted as a word by itself would be."""
    script = f"printf '%s\\0' {shell_quoted_lines(*NASTY)}"
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, timeout=10)

    assert [line.removeprefix("      ") for line in done.stdout.decode().removesuffix("\0").split("\n")] == NASTY


@settings(max_examples=25, deadline=None)
@given(st.lists(visible, min_size=1, max_size=30))
def test_bash_takes_any_text_as_it_is(words: list[str]) -> None:
    """Whatever else somebody thinks of."""
    assert through_bash(words) == words


@given(visible)
def test_python_and_json_read_any_text_back(text: str) -> None:
    """As data, never as code."""
    assert ast.literal_eval(python_literal(text)) == text
    assert json.loads(json_text(text)) == text


@pytest.mark.parametrize("text", NASTY)
def test_what_is_left_of_a_query_value_means_nothing_to_a_shell(text: str) -> None:
    """It stands in double quotes, where $, backquote, backslash and quotes would be read."""
    assert not set(query_value(text)) & set("$`\\\"'!&= ")


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[201~b", "a\u202eb", "\x00", "a\u2028b"])
@pytest.mark.parametrize("write", [shell_quoted, python_literal, json_text])
def test_characters_that_nobody_sees_are_not_written(write: object, text: str) -> None:
    """The end of a bracketed paste, say, is an escape sequence: what follows would be typed."""
    with pytest.raises(UnwritableValue):
        write(text)  # type: ignore[operator]

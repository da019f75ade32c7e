"""What stands in a CSV cell: nothing that a spreadsheet calculates, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bank_backend.data.cells import as_cell, from_cell


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("https://evil.example")', "+49-30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-1.5e3", "--1"]
)
def test_a_formula_becomes_text(text: str) -> None:
    """Whatever a spreadsheet takes for one begins with a quote."""
    assert as_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "-12.50", "12.50", "-3", "O'Hara", "a=b", "2026-01-31"])
def test_what_is_no_formula_stays(text: str) -> None:
    """Amounts stay numbers, or nobody could add them up."""
    assert as_cell(text) == text


def test_a_quote_that_an_editor_wrote_is_kept() -> None:
    """It is the beginning of a name."""
    assert from_cell("'t Hooft") == "'t Hooft"


@given(st.text(alphabet="'=+-@\t\r1.a", max_size=6))
@example("'=x")
@example("''t")
def test_reading_gives_back_what_was_written(text: str) -> None:
    """Exactly, quotes of the text's own included."""
    assert from_cell(as_cell(text)) == text

"""Patterns for names in certificates: OCI's rules, and nothing beside them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policies.names import FaultyPattern, NamePattern, is_allowed

LETTERS = st.text(alphabet="aAbB.-ß", min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("tpp.example", ["tpp.example", "TPP.Example"], ["xtpp.example", "tpp.example.org", "tpp", ""]),
        ("*.example", ["a.example", "A.B.EXAMPLE", ".example"], ["example", "a.example.org", "aexample"]),
        ("tpp.*", ["tpp.", "TPP.example"], ["a.tpp.example", "tpp"]),
        ("*tpp*", ["tpp", "a.TPP.example"], ["t.p.p", "tp"]),
        ("a?[b]\\", ["A?[B]\\"], ["ax[b]\\", "a?b\\"]),
        ("user@example.com", ["User@Example.COM"], ["user@example.com.evil.example"]),
    ],
)
def test_a_pattern_means_these_names_and_no_others(pattern: str, matching: list[str], others: list[str]) -> None:
    """In any case; `*` is the only character with a meaning."""
    parsed = NamePattern.parse(pattern)
    assert all(parsed.matches(name) for name in matching)
    assert not any(parsed.matches(name) for name in others)


@pytest.mark.parametrize("text", ["", "*", "**", "a*b", "*a*b", "***a", "a**", "a" * 256, "a\nb", "a\x00"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """A `*` alone would let in whoever has any name."""
    with pytest.raises(FaultyPattern, match="at its start, its end"):
        NamePattern.parse(text)


@settings(max_examples=150, deadline=None)
@given(opens=st.booleans(), text=LETTERS, goes_on=st.booleans(), name=st.text(alphabet="aAbB.-ß", max_size=8))
def test_matching_is_that_of_an_independent_reading(*, opens: bool, text: str, goes_on: bool, name: str) -> None:
    """Written as a regular expression over folded texts, it says the same."""
    written = "*" * opens + text + "*" * goes_on
    expected = re.fullmatch(".*" * opens + re.escape(text.casefold()) + ".*" * goes_on, name.casefold(), re.DOTALL)
    pattern = NamePattern.parse(written)
    assert pattern.matches(name) == (expected is not None)
    assert str(pattern) == written.casefold()


def test_one_name_and_one_pattern_are_enough() -> None:
    """And none of either is not."""
    patterns = (NamePattern.parse("a"), NamePattern.parse("*b"))
    assert is_allowed(patterns, ["x", "cb"])
    assert not is_allowed(patterns, ["x"])
    assert not is_allowed(patterns, [])

"""One look: what all pages share is served whole, addressed by its content, and stands once."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from bank_backend import pages as psu_pages
from chassis import look

PSU_STYLESHEET = Path(psu_pages.__file__).parent / "static" / "psu.css"


def test_the_colours_of_all_pages_stand_once() -> None:
    """Portal, demo app and bank look like one product, light and dark: none has colours of its own."""
    tokens = set(re.findall(r"(--[\w-]+):", (look.FOLDER / "palette.css").read_text()))

    for stylesheet in (look.FOLDER / "look.css", PSU_STYLESHEET):
        text = stylesheet.read_text()
        assert ":root" not in text
        assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= tokens


@pytest.mark.parametrize("name", sorted(look.FILES))
def test_an_address_names_the_content(name: str) -> None:
    """So that it may be kept for ever; any other address is asked for again."""
    content = (look.FOLDER / name).read_bytes()

    assert look.address(name) == f"/look/{name}?v={hashlib.sha256(content).hexdigest()[:16]}"
    assert "immutable" in look.cache_control(name, look.version(name))
    assert look.cache_control(name, None) == look.cache_control(name, "old") == "no-cache"


def test_stylesheets_load_nothing() -> None:
    """No font, no image, no other stylesheet: the content policy allows none of it."""
    for name in ("palette.css", "look.css", "charts.css"):
        stylesheet = (look.FOLDER / name).read_text()
        assert "url(" not in stylesheet
        assert "@import" not in stylesheet


def test_what_is_vendored_is_what_the_readme_says() -> None:
    digest = hashlib.sha256((look.FOLDER / "htmx.min.js").read_bytes()).hexdigest()

    readme = (look.FOLDER / "README.md").read_text()
    assert digest in readme
    assert "| 4.0.1 |" in readme
    assert b"4.0.1" in (look.FOLDER / "htmx.min.js").read_bytes()

"""One look: what all pages share is served whole, addressed by its content, and has the PSU pages' tokens."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from bank_backend import pages as psu_pages
from chassis import look

PSU_STYLESHEET = Path(psu_pages.__file__).parent / "static" / "psu.css"


def tokens(stylesheet: str) -> list[dict[str, str]]:
    """Return the tokens of the light and the dark scheme."""
    blocks = re.findall(r":root \{(.*?)\}", stylesheet, re.DOTALL)
    return [dict(re.findall(r"(--[\w-]+):\s*([^;]+);", block)) for block in blocks]


def test_the_psu_pages_have_the_same_tokens() -> None:
    """Portal, demo app and bank look like one product, light and dark."""
    shared, psu = tokens((look.FOLDER / "look.css").read_text()), tokens(PSU_STYLESHEET.read_text())

    assert len(shared) == len(psu) == 2
    for ours, theirs in zip(shared, psu, strict=True):
        assert theirs.items() <= ours.items()


@pytest.mark.parametrize("name", sorted(look.FILES))
def test_an_address_names_the_content(name: str) -> None:
    """So that it may be kept for ever; any other address is asked for again."""
    content = (look.FOLDER / name).read_bytes()

    assert look.address(name) == f"/look/{name}?v={hashlib.sha256(content).hexdigest()[:16]}"
    assert "immutable" in look.cache_control(name, look.version(name))
    assert look.cache_control(name, None) == look.cache_control(name, "old") == "no-cache"


def test_stylesheets_load_nothing() -> None:
    """No font, no image, no other stylesheet: the content policy allows none of it."""
    for name in ("look.css", "charts.css"):
        stylesheet = (look.FOLDER / name).read_text()
        assert "url(" not in stylesheet
        assert "@import" not in stylesheet


def test_what_is_vendored_is_what_the_readme_says() -> None:
    digest = hashlib.sha256((look.FOLDER / "htmx.min.js").read_bytes()).hexdigest()

    readme = (look.FOLDER / "README.md").read_text()
    assert digest in readme
    assert "| 4.0.1 |" in readme
    assert b"4.0.1" in (look.FOLDER / "htmx.min.js").read_bytes()

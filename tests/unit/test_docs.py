"""Pages that are made from the code say what the code says."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.support.configuration import as_markdown

ROOT = Path(__file__).parents[2]


def test_the_configuration_page_is_current() -> None:
    """`python -m tests.support.configuration > docs/configuration.md` makes it so."""
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == as_markdown()


def test_every_setting_is_described() -> None:
    """A variable without a meaning is of no use to an operator."""
    rows = [line for line in as_markdown().splitlines() if line.startswith("| `")]
    assert [row for row in rows if not row.split("|")[2].strip()] == []


def test_the_two_locks_name_the_same_versions() -> None:
    """`make lock` writes both: uv reads one, pip the other."""
    locked = {
        package["name"]: package["version"]
        for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
        if "registry" in package["source"]
    }
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pinned = dict(line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith(" "))
    assert {name: locked[name] for name in pinned} == pinned
    assert "cryptography" in pinned

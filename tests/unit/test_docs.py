"""What the documents say of the code is so: pages made from it, and the tests and files that others name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.support.configuration import as_markdown

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
_FOLDERS = "gateway|bank_backend|sandbox|tpp_client|chassis|psd2|features|tests|benchmarks|docker"


def test_the_configuration_page_is_current() -> None:
    """`python -m tests.support.configuration > docs/configuration.md` makes it so."""
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == as_markdown()


def test_every_setting_is_described() -> None:
    """A variable without a meaning is of no use to an operator."""
    rows = [line for line in as_markdown().splitlines() if line.startswith("| `")]
    assert [row for row in rows if not row.split("|")[2].strip()] == []


def test_every_test_that_a_page_names_is_there() -> None:
    """A table that maps promises to tests is worth what its names are."""
    sources = list((ROOT / "tests").rglob("test_*.py"))
    tests = {path.stem for path in sources}.union(*(re.findall(r"def (test_\w+)", path.read_text("utf-8")) for path in sources))
    missing = {(page.name, name) for page in PAGES for name in re.findall(r"\btest_\w+", page.read_text("utf-8"))}
    assert {(page, name) for page, name in missing if name not in tests} == set()


def test_every_file_that_a_page_names_is_there() -> None:
    """By its path from the top, or as a link."""
    missing = []
    for page in PAGES:
        text = page.read_text("utf-8")
        named = [ROOT / path for path in re.findall(rf"`((?:{_FOLDERS})/[\w./-]+)`", text)]
        linked = [page.parent / path for path in re.findall(r"\]\((?!https?:)([^)#]+)", text)]
        missing += [f"{page.name}: {path}" for path in named + linked if not path.exists()]
    assert missing == []


def test_every_page_is_to_be_found_from_the_readme() -> None:
    """A page that nothing leads to is read by nobody."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"(docs/{page.name})" not in readme] == []


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

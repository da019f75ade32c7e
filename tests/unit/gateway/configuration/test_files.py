"""Files of documents: tables of kinds, in them documents by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.configuration.files import FileRefused, read_documents
from gateway.configuration.model import Document

if TYPE_CHECKING:
    from pathlib import Path


def test_documents_are_read_from_files_and_folders(tmp_path: Path) -> None:
    """TOML and JSON; other files of a folder are not looked at."""
    (tmp_path / "a.toml").write_text('[plans.gold]\nrate = 1\n[[shops.corner.keys]]\nname = "x"\n')
    (tmp_path / "b.json").write_text('{"plans": {"silver": {"rate": 2}}}')
    (tmp_path / "README.md").write_text("Plans.")

    assert read_documents([tmp_path]) == [
        Document("plans", "gold", {"rate": 1}),
        Document("shops", "corner", {"keys": [{"name": "x"}]}),
        Document("plans", "silver", {"rate": 2}),
    ]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.toml", "[plans", "is no TOML"),
        ("a.json", "{", "is no JSON"),
        ("a.json", "[]", "a table of kinds was expected"),
        ("a.toml", "rate = 1", "rate is 1, a table was expected"),
        ("a.toml", "[plans]\nrate = 1", "plans: rate is 1, a table was expected"),
        ("a.yaml", "plans:", r"end in \.toml or \.json"),
        ("a.toml", "#" * (4 * 1024 * 1024 + 1), "at most 4194304 are read"),
        ("a.json", "[" * 100_000, "is no JSON"),
    ],
)
def test_a_file_that_holds_no_documents_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    """The file is named."""
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(FileRefused, match=complaint) as refused:
        read_documents([path])
    assert str(path) in str(refused.value)


def test_a_document_stands_in_one_file(tmp_path: Path) -> None:
    """Which of two would count is nobody's guess."""
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text("[plans.gold]\nrate = 1\n")

    with pytest.raises(FileRefused, match=r"plans/gold is in .*a\.toml too"):
        read_documents([tmp_path])
    with pytest.raises(FileRefused, match="can't be read"):
        read_documents([tmp_path / "c.toml"])

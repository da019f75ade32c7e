"""Private files are never readable by others, and files are replaced whole."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from chassis.files import write_private, write_public

if TYPE_CHECKING:
    from pathlib import Path


def test_a_private_file_is_0600_whatever_the_umask(tmp_path: Path) -> None:
    """And its new folder is 0700."""
    before = os.umask(0)
    try:
        write_private(tmp_path / "keys" / "a.key", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys" / "a.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_private_file_over_a_readable_one_is_0600(tmp_path: Path) -> None:
    """The old file's mode is not taken over."""
    (tmp_path / "a.key").write_bytes(b"old")
    (tmp_path / "a.key").chmod(0o644)
    write_private(tmp_path / "a.key", b"new")
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert (tmp_path / "a.key").read_bytes() == b"new"


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """The target is a folder, so the rename fails; the temporary file is gone."""
    (tmp_path / "a.crt").mkdir()
    with pytest.raises(OSError, match=r"a\.crt"):
        write_public(tmp_path / "a.crt", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.crt"]

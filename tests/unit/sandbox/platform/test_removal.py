"""Reset removes what a platform made, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chassis.home import Home
from sandbox.platform.removal import remove_certificates, remove_state
from sandbox.platform.state import AlreadyRunning, HomeNotUsable, RunFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    with RunFolder(home).claimed():
        home.log.mkdir()
        (home.log / "bank.jsonl").touch()
    databases = ("sandbox.sqlite", "sandbox.sqlite-wal", "gateway.sqlite", "limits.sqlite", "bank.sqlite", "demo.sqlite")
    for name in (*databases, "portal.key", "demo.key", "bank-sca.key"):
        (home.var / name).touch()
    for name in ("ca", "servers", "internal", "tpps/acme"):
        (home.certs / name).mkdir(parents=True)
    for name in ("ca/root.key", "tpps/acme/qwac.key", "trust.pem", "gateway-documents.key", "profiles.toml", "README.md"):
        (home.certs / name).touch()
    return home


def test_state_is_removed_and_certificates_stay(home: Home) -> None:
    """Clients go on trusting the same root."""
    remove_state(home)

    assert not home.var.exists()
    assert (home.certs / "ca" / "root.key").exists()


def test_tracked_files_stay_when_certificates_are_removed(home: Home) -> None:
    """Profiles are the project's, keys are the platform's."""
    remove_certificates(home)

    assert sorted(entry.name for entry in home.certs.iterdir()) == ["README.md", "profiles.toml"]


def test_what_is_not_ours_stays(home: Home) -> None:
    """A folder called var may hold other things."""
    (home.var / "mine.txt").touch()

    remove_state(home)

    assert [entry.name for entry in home.var.iterdir()] == ["mine.txt"]


def test_a_running_platform_is_not_pulled_away(home: Home) -> None:
    """Nothing is removed while the lock is held."""
    with RunFolder(home).claimed(), pytest.raises(AlreadyRunning):
        remove_state(home)

    assert (home.var / "sandbox.sqlite").exists()


def test_a_folder_in_which_nothing_ran_is_left_alone(tmp_path: Path) -> None:
    """`sandbox reset --home /` must not empty /var."""
    (tmp_path / "var" / "log").mkdir(parents=True)

    with pytest.raises(HomeNotUsable, match="nothing to remove"):
        remove_state(Home(tmp_path))

    assert (tmp_path / "var" / "log").exists()

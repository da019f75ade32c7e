"""Settings that make no sense are refused at start, by their name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chassis.settings import SettingsRefused
from sandbox.config import load_settings, service_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The current folder, port 8440, SQLite."""
    monkeypatch.chdir(tmp_path)

    settings = load_settings()

    assert settings.home.path == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path}/var/sandbox.sqlite"
    assert str(settings.admin_address) == "localhost:8444"
    assert str(settings.bank_address) == "localhost:8445"


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An option on the command line is meant."""
    monkeypatch.setenv("SANDBOX_HOME", "/elsewhere")
    monkeypatch.setenv("SANDBOX_BASE_PORT", "9000")

    settings = load_settings(home=tmp_path, base_port=9500)

    assert (settings.home.path, settings.base_port) == (tmp_path, 9500)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SANDBOX_BASE_PORT", "80"),
        ("SANDBOX_BASE_PORT", "many"),
        ("SANDBOX_ADMIN_ADDRESS", "8444"),
        ("SANDBOX_BANK_ADDRESS", "bank:0"),
        ("SANDBOX_MAX_TPPS", "0"),
        ("SANDBOX_THREADS", "1000"),
        ("SANDBOX_PUBLIC_HOST", ""),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """By the variable that holds it."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsRefused, match=f"^{variable}: "):
        load_settings()


def test_limits_that_make_too_long_a_revocation_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is within its own range; together they would let TPPs revoke until the gateway takes no list any more."""
    monkeypatch.setenv("SANDBOX_MAX_TPPS", "1451")

    with pytest.raises(SettingsRefused, match="SANDBOX_MAX_TPPS x SANDBOX_MAX_UNEXPIRED_CERTIFICATES_PER_TPP is 290200"):
        load_settings()

    monkeypatch.setenv("SANDBOX_MAX_TPPS", "1450")
    load_settings()


def test_every_service_is_told_the_same_home_and_ports(tmp_path: Path) -> None:
    """One option of `sandbox up` reaches all servers."""
    environment = service_environment(load_settings(home=tmp_path, base_port=9500))

    for prefix in ("SANDBOX", "GATEWAY", "BANK"):
        assert environment[f"{prefix}_HOME"] == str(tmp_path)
        assert environment[f"{prefix}_BASE_PORT"] == "9500"


def test_servers_give_back_what_heavy_work_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who knows better says so himself."""
    settings = load_settings(home=tmp_path)
    assert service_environment(settings)["MALLOC_ARENA_MAX"] == "2"

    monkeypatch.setenv("MALLOC_ARENA_MAX", "8")
    assert service_environment(settings)["MALLOC_ARENA_MAX"] == "8"

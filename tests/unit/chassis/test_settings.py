"""Settings are read once, and a bad one is refused by the name of its variable, never with its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from bank_backend.config import BankSettings
from chassis.addresses import Address
from chassis.settings import SettingsRefused, read_settings
from gateway.config import GatewaySettings
from sandbox.config import SandboxSettings

if TYPE_CHECKING:
    from pathlib import Path

    from chassis.settings import ServiceSettings

KINDS: list[type[ServiceSettings]] = [BankSettings, GatewaySettings, SandboxSettings]


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_is_placed_by_its_own_variables(
    kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Home, ports and database follow the prefix."""
    prefix = str(kind.model_config["env_prefix"])
    monkeypatch.setenv(f"{prefix}HOME", str(tmp_path))
    monkeypatch.setenv(f"{prefix}BASE_PORT", "9440")
    settings = read_settings(kind)
    assert settings.home.path == tmp_path
    assert settings.ports.edge == 9443
    assert settings.database_url == f"sqlite:///{tmp_path}/var/{kind.database_name}.sqlite"
    monkeypatch.setenv(f"{prefix}DATABASE_URL", "postgresql://db/bank")
    assert read_settings(kind).database_url == "postgresql://db/bank"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "value"), [("BASE_PORT", "80"), ("BASE_PORT", "many"), ("PUBLIC_HOST", "")])
def test_a_bad_value_is_refused_by_its_variable(
    kind: type[ServiceSettings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says which variable to correct."""
    variable = f"{kind.model_config['env_prefix']}{name}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsRefused, match=f"^{variable}: "):
        read_settings(kind)


def test_a_peer_is_where_the_setting_says_or_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default follows the port table."""
    assert read_settings(GatewaySettings).bank_address == Address("localhost", 8445)
    monkeypatch.setenv("GATEWAY_BANK_ADDRESS", "bank:9000")
    assert read_settings(GatewaySettings).bank_address == Address("bank", 9000)
    monkeypatch.setenv("GATEWAY_BANK_ADDRESS", "hunter2@bank")
    with pytest.raises(SettingsRefused, match="GATEWAY_BANK_ADDRESS"):
        read_settings(GatewaySettings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_password_comes_from_a_file(kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever characters it has, and whether or not the file ends with a line end."""
    prefix = str(kind.model_config["env_prefix"])
    (tmp_path / "password").write_text("a/b@c:d%e \n")
    monkeypatch.setenv(f"{prefix}DATABASE_URL", "postgresql://bank@db:5433/bank?sslmode=require")
    monkeypatch.setenv(f"{prefix}DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    url = make_url(read_settings(kind).database_url)
    assert (url.username, url.password, url.host, url.port, url.database) == ("bank", "a/b@c:d%e ", "db", 5433, "bank")
    assert url.query == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("postgresql://bank@db/bank", None),  # no file
        ("postgresql://bank@db/bank", ""),
        ("postgresql://bank@db/bank", "two\nlines"),
        ("postgresql://bank@db/bank", "x" * 2000),
        ("postgresql://bank:hunter2@db/bank", "secret"),  # which of the two?
        ("postgresql://db/bank", "secret"),  # whose?
        ("sqlite:///bank.sqlite", "secret"),
    ],
)
def test_a_password_file_that_can_not_be_meant_is_refused(
    url: str, content: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At the start, in words that hold no password."""
    if content is not None:
        (tmp_path / "password").write_text(content)
    monkeypatch.setenv("BANK_DATABASE_URL", url)
    monkeypatch.setenv("BANK_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(SettingsRefused, match="password") as refused:
        read_settings(BankSettings)
    assert "hunter2" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_peer_by_its_name_alone_listens_where_the_port_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers are called by name; their ports shift with the platform's."""
    monkeypatch.setenv("GATEWAY_BANK_ADDRESS", "bank")
    monkeypatch.setenv("GATEWAY_BASE_PORT", "9440")
    assert read_settings(GatewaySettings).bank_address == Address("bank", 9445)


def test_logs_go_to_a_file_or_to_standard_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A container's log is what its processes print."""
    monkeypatch.setenv("BANK_HOME", str(tmp_path))
    assert read_settings(BankSettings).log_file("bank") == tmp_path / "var" / "log" / "bank.jsonl"
    monkeypatch.setenv("BANK_LOG_TO_STDERR", "true")
    assert read_settings(BankSettings).log_file("bank") is None

"""Settings are read once, and a bad one is refused by the name of its variable, never with its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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

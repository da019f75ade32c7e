"""The operator side's settings, read from `SANDBOX_…` variables once and refused where they make no sense."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.addresses import DEFAULT_BASE_PORT, Address, PortTable, parse_address
from chassis.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICE_PREFIXES = ("SANDBOX_", "GATEWAY_", "BANK_")


class SettingsRefused(ValueError):
    """A setting that makes no sense; the message names the variable and what would be right."""


class SandboxSettings(BaseSettings):
    """Where the platform keeps its files, how it listens, whom it calls, and its limits."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True, extra="ignore", populate_by_name=True)

    home_path: Path = Field(default=Path(), validation_alias="SANDBOX_HOME", description="folder holding certs/ and var/")
    base_port: int = Field(default=DEFAULT_BASE_PORT, description="all ports of the platform shift with it")
    database: str | None = Field(
        default=None, validation_alias="SANDBOX_DATABASE_URL", description="database URL; default: HOME/var/sandbox.sqlite"
    )
    public_host: str = Field(default="localhost", min_length=1, max_length=253, description="host name in public addresses")
    admin: str | None = Field(
        default=None, validation_alias="SANDBOX_ADMIN_ADDRESS", description="the gateway's control API, host:port"
    )
    bank: str | None = Field(default=None, validation_alias="SANDBOX_BANK_ADDRESS", description="the bank, host:port")
    threads: int = Field(default=16, ge=1, le=64, description="requests the portal answers at a time")
    max_tpps: int = Field(default=1_000, ge=1, le=100_000, description="TPPs that may be registered")

    @field_validator("base_port")
    @classmethod
    def _require_port_table(cls, base: int) -> int:
        PortTable(base)
        return base

    @field_validator("admin", "bank")
    @classmethod
    def _require_address(cls, text: str | None) -> str | None:
        if text is not None:
            parse_address(text)
        return text

    @property
    def home(self) -> Home:
        """The folder's layout."""
        return Home(self.home_path.absolute())

    @property
    def ports(self) -> PortTable:
        """The platform's ports."""
        return PortTable(self.base_port)

    @property
    def database_url(self) -> str:
        """The register's and the certificate authority's database."""
        return self.database or self.home.database_url("sandbox")

    @property
    def has_database(self) -> bool:
        """Whether there is a database to open: one named by its URL, or the file of a platform that was started here."""
        return self.database is not None or (self.home.var / "sandbox.sqlite").is_file()

    @property
    def admin_address(self) -> Address:
        """Where the gateway's control API listens."""
        return parse_address(self.admin) if self.admin else Address("localhost", self.ports.admin)

    @property
    def bank_address(self) -> Address:
        """Where the bank listens."""
        return parse_address(self.bank) if self.bank else Address("localhost", self.ports.bank)


def load_settings(*, home: Path | None = None, base_port: int | None = None) -> SandboxSettings:
    """Read the settings; what is given here goes before the environment. Raises `SettingsRefused`."""
    given: dict[str, object] = {"home_path": home, "base_port": base_port}
    try:
        return SandboxSettings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsRefused("; ".join(_complaint(dict(fault)) for fault in error.errors())) from error


def _complaint(fault: Mapping[str, object]) -> str:
    location = fault["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else "setting"
    variable = name if name.isupper() else f"SANDBOX_{name.upper()}"
    return f"{variable}: {str(fault['msg']).removeprefix('Value error, ')}"


def service_environment(settings: SandboxSettings) -> dict[str, str]:
    """Return the environment of the platform's servers: this process's own, with this home and these ports."""
    environment = dict(os.environ)
    for prefix in _SERVICE_PREFIXES:
        environment[f"{prefix}HOME"] = str(settings.home.path)
        environment[f"{prefix}BASE_PORT"] = str(settings.base_port)
        environment[f"{prefix}PUBLIC_HOST"] = settings.public_host
    return environment

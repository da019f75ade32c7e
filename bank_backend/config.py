"""The bank's settings, read from `BANK_…` variables once and refused at start when they make no sense."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.addresses import DEFAULT_BASE_PORT, PortTable
from chassis.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsRefused(ValueError):
    """A setting that makes no sense; the message names the variable and what would be right."""


class BankSettings(BaseSettings):
    """Where the bank keeps its files, how it listens, and how the world addresses it."""

    model_config = SettingsConfigDict(env_prefix="BANK_", frozen=True, extra="ignore", populate_by_name=True)

    home_path: Path = Field(default=Path(), validation_alias="BANK_HOME", description="folder holding certs/ and var/")
    base_port: int = Field(default=DEFAULT_BASE_PORT, description="all ports of the platform shift with it")
    database: str | None = Field(
        default=None, validation_alias="BANK_DATABASE_URL", description="database URL; default: HOME/var/bank.sqlite"
    )
    public_host: str = Field(default="localhost", min_length=1, max_length=253, description="host name in public addresses")
    workers: int = Field(default=1, ge=1, le=32, description="worker processes")
    threads: int = Field(default=8, ge=1, le=64, description="requests that each of them serves at a time")

    @field_validator("base_port")
    @classmethod
    def _require_port_table(cls, base: int) -> int:
        PortTable(base)
        return base

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
        """The bank's database."""
        return self.database or self.home.database_url("bank")

    @property
    def front_url(self) -> str:
        """Where browsers reach the bank's pages: `https://localhost:8441`."""
        return f"https://{self.public_host}:{self.ports.front}"


def load_settings() -> BankSettings:
    """Read the settings; raises `SettingsRefused`."""
    try:
        return BankSettings()
    except ValidationError as error:
        raise SettingsRefused("; ".join(_complaint(dict(fault)) for fault in error.errors())) from error


def _complaint(fault: Mapping[str, object]) -> str:
    # Without the value: a database URL holds a password.
    location = fault["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else "setting"
    variable = name if name.isupper() else f"BANK_{name.upper()}"
    return f"{variable}: {fault['msg']}"

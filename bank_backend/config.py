"""The bank's settings, read from `BANK_…` variables once and refused at start when they make no sense."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.addresses import DEFAULT_BASE_PORT, PortTable
from chassis.home import Home


class BankSettings(BaseSettings):
    """Where the bank keeps its files, how it listens, and how the world addresses it."""

    model_config = SettingsConfigDict(env_prefix="BANK_", frozen=True, extra="ignore")

    home_path: Path = Field(default=Path(), validation_alias="BANK_HOME", description="folder holding certs/ and var/")
    base_port: int = Field(default=DEFAULT_BASE_PORT, description="the platform's base port; the bank listens 5 above it")
    database: str | None = Field(
        default=None, validation_alias="BANK_DATABASE_URL", description="database URL; default: HOME/var/bank.sqlite"
    )
    public_host: str = Field(default="localhost", min_length=1, description="host name in public addresses")
    threads: int = Field(default=8, ge=1, le=64, description="requests answered at a time by one worker")
    workers: int = Field(default=1, ge=1, le=32, description="worker processes")

    @property
    def home(self) -> Home:
        """The folder's layout."""
        return Home(self.home_path)

    @property
    def ports(self) -> PortTable:
        """The platform's ports; raises `InvalidAddress` for a base port out of range."""
        return PortTable(self.base_port)

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.database or self.home.database_url("bank")

    @property
    def front_url(self) -> str:
        """Where browsers reach the bank's pages: `https://localhost:8441`."""
        return f"https://{self.public_host}:{self.ports.front}"

"""The bank's settings, read from `BANK_…` variables once and refused at start when they make no sense."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings, read_settings


class BankSettings(ServiceSettings):
    """Where the bank keeps its files, how it listens, and how the world addresses it."""

    model_config = SettingsConfigDict(env_prefix="BANK_")
    database_name: ClassVar[str] = "bank"

    home_path: Path = Field(default=Path(), validation_alias="BANK_HOME", description="folder holding certs/ and var/")
    database: str | None = Field(
        default=None, validation_alias="BANK_DATABASE_URL", description="database URL; default: HOME/var/bank.sqlite"
    )
    sandbox_mode: bool = Field(default=True, description="tell a refused TPP the reason, a hint and the clause")
    notification_loopback: bool | None = Field(
        default=None,
        description="send notifications to this machine too; default: only where the platform itself is at localhost",
    )
    large_account: bool = Field(
        default=True,
        description="seed each TPP's bank with an account of 10,000 transactions too; without it registering is quicker",
    )
    decoupled_asks: int = Field(
        default=10,
        ge=1,
        le=1_000,
        description="how often within 15 minutes a TPP may have a PSU asked in its bank app (decoupled approach) without a yes",
    )
    # Threads of one process take turns at the interpreter lock: two processes answer 1.8 times as many requests on two cores.
    workers: int = Field(default=2, ge=1, le=32, description="worker processes")
    threads: int = Field(default=4, ge=1, le=64, description="requests that each of them serves at a time")

    @property
    def front_url(self) -> str:
        """Where browsers reach the bank's pages: `https://localhost:8441`."""
        return f"https://{self.public_host}:{self.ports.front}"

    @property
    def edge_url(self) -> str:
        """Where TPPs reach the bank's interface: `https://localhost:8443`."""
        return f"https://{self.public_host}:{self.ports.edge}"

    @property
    def notifies_loopback(self) -> bool:
        """Whether notifications go to this machine: where the platform is reached at localhost, TPPs are on it too."""
        return self.public_host == "localhost" if self.notification_loopback is None else self.notification_loopback


def load_settings() -> BankSettings:
    """Read the settings; raises `SettingsRefused`."""
    return read_settings(BankSettings)

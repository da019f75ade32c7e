"""The demo app's settings, read from `DEMO_…` variables once and refused at start when they make no sense."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import AddressText, ServiceSettings, peer_address, read_settings

if TYPE_CHECKING:
    from chassis.addresses import Address


class DemoSettings(ServiceSettings):
    """Where the demo app keeps its files, as which TPP it speaks, how it reaches the bank, and its limits."""

    model_config = SettingsConfigDict(env_prefix="DEMO_")
    database_name: ClassVar[str] = "demo"

    home_path: Path = Field(default=Path(), validation_alias="DEMO_HOME", description="folder holding certs/ and var/")
    database: str | None = Field(
        default=None, validation_alias="DEMO_DATABASE_URL", description="database URL; default: HOME/var/demo.sqlite"
    )
    tpp: str = Field(
        default="kontoblick", pattern="^[a-z0-9][a-z0-9-]{0,39}$", description="the TPP it is, by its folder in certs/tpps"
    )
    # Connections only: names, Host and TLS stay those of the public addresses, which are the bank's identity.
    edge: AddressText | None = Field(
        default=None,
        validation_alias="DEMO_EDGE_ADDRESS",
        description="where the bank's TPP listener is reached, host or host:port",
    )
    front: AddressText | None = Field(
        default=None,
        validation_alias="DEMO_FRONT_ADDRESS",
        description="where its front listener is reached, host or host:port",
    )
    threads: int = Field(default=16, ge=1, le=128, description="requests answered at a time")
    visit_seconds: int = Field(default=43_200, ge=600, le=604_800, description="time an unused connection is remembered")
    max_visits: int = Field(
        default=2_000, ge=10, le=100_000, description="browsers remembered; beyond, the idlest is forgotten"
    )
    requests_per_minute: int = Field(default=300, ge=10, le=100_000, description="pages asked for from one address")
    orders_per_minute: int = Field(default=60, ge=5, le=10_000, description="forms sent from one address")

    @property
    def origin(self) -> str:
        """Where browsers reach the app: `https://localhost:8446`."""
        return f"https://{self.public_host}:{self.ports.demo}"

    @property
    def redirect_uri(self) -> str:
        """Where the bank sends the PSU's browser back to."""
        return f"{self.origin}/callback"

    @property
    def front_origin(self) -> str:
        """Where the bank's browser pages are: forms may lead there."""
        return f"https://{self.public_host}:{self.ports.front}"

    @property
    def welcome_url(self) -> str:
        """The sandbox's first page."""
        return f"http://{self.public_host}:{self.ports.welcome}/"

    @property
    def portal_url(self) -> str:
        """The developer portal."""
        return f"https://{self.public_host}:{self.ports.portal}/"

    @property
    def detours(self) -> dict[str, Address]:
        """Where the bank's public origins are reached, as far as elsewhere than at their own names."""
        ports = self.ports
        given = ((ports.edge, self.edge), (ports.front, self.front))
        return {f"https://{self.public_host}:{port}": peer_address(text, default_port=port) for port, text in given if text}


def load_settings() -> DemoSettings:
    """Read the settings; raises `SettingsRefused`."""
    return read_settings(DemoSettings)

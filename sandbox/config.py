"""The operator side's settings, read from `SANDBOX_…` variables once and refused where they make no sense."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from chassis.settings import AddressText, ServiceSettings, peer_address, read_settings
from sandbox.ca.profiles import ProfileName  # noqa: TC001 - read by pydantic
from sandbox.ca.quota import MOST_ON_A_LIST
from sandbox.ca.renewal import RenewalRule  # noqa: TC001 - read by pydantic
from sandbox.tpps.model import Profile

if TYPE_CHECKING:
    from chassis.addresses import Address

_SERVICE_PREFIXES = ("SANDBOX_", "GATEWAY_", "BANK_", "DEMO_")


def _read_json(text: object) -> object:
    """Read a setting that is more than one word; left to the library, one that can't be read would not be told by its name."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except json.JSONDecodeError as error:
        raise ValueError(f'is no JSON ({error}): {{"server": {{"before_days": 20}}}} is') from error


class SandboxSettings(ServiceSettings):
    """Where the platform keeps its files, how it listens, whom it calls, and its limits."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_")
    database_name: ClassVar[str] = "sandbox"

    home_path: Path = Field(default=Path(), validation_alias="SANDBOX_HOME", description="folder holding certs/ and var/")
    database: str | None = Field(
        default=None, validation_alias="SANDBOX_DATABASE_URL", description="database URL; default: HOME/var/sandbox.sqlite"
    )
    admin: AddressText | None = Field(
        default=None, validation_alias="SANDBOX_ADMIN_ADDRESS", description="the gateway's control API, host or host:port"
    )
    bank: AddressText | None = Field(
        default=None, validation_alias="SANDBOX_BANK_ADDRESS", description="the bank, host or host:port"
    )
    service_homes: Path | None = Field(
        default=None, description="folder with a folder for each server that runs apart, which is given its own keys, no others"
    )
    secrets_folder: Path | None = Field(
        default=None, description="folder with a folder for each database user, where `sandbox init` makes its password"
    )
    postgres_url: str | None = Field(
        default=None, description="PostgreSQL as its superuser, no password in it: `sandbox init` makes users and databases"
    )
    renewal_rules: Annotated[dict[ProfileName, RenewalRule], NoDecode, BeforeValidator(_read_json)] = Field(
        default={},
        description='when certificates are renewed, by profile, as JSON: `{"server": {"before_days": 20, "every_days": 30}}`; '
        "otherwise as certs/profiles.toml says",
    )
    demo_profile: Profile = Field(
        default=Profile.BERLIN, description="security profile of the demo app's OAuth client; with those of FAPI 2.0 it signs"
    )
    threads: int = Field(default=16, ge=1, le=64, description="requests the portal answers at a time")
    max_tpps: int = Field(default=1_000, ge=1, le=100_000, description="TPPs that may be registered, such as have left counted")
    max_tpps_per_organisation: int = Field(
        default=20, ge=1, le=100_000, description="TPPs that one organisation of the portal may register"
    )
    max_certificates_per_tpp_per_day: int = Field(
        default=50, ge=2, le=10_000, description="certificates issued to one TPP in 24 hours, faulty ones counted"
    )
    max_unexpired_certificates_per_tpp: int = Field(
        default=200, ge=2, le=100_000, description="unexpired certificates of one TPP, revoked and faulty ones counted"
    )
    sign_ups_per_hour: int = Field(
        default=30, ge=1, le=100_000, description="accounts of the portal that may be made from one address in an hour"
    )
    registrations_per_hour: int = Field(
        default=60, ge=1, le=100_000, description="TPPs that may be registered over the network from one address in an hour"
    )

    @model_validator(mode="after")
    def _require_list_of_bounded_length(self) -> Self:
        """Refuse limits under which the CRL could grow beyond what the gateway takes: that would stop every TPP."""
        longest = self.max_tpps * self.max_unexpired_certificates_per_tpp
        if longest > MOST_ON_A_LIST:
            msg = (
                f"SANDBOX_MAX_TPPS x SANDBOX_MAX_UNEXPIRED_CERTIFICATES_PER_TPP is {longest}: the list of so many revoked "
                f"certificates is longer than the gateway takes, and would keep every TPP out; at most {MOST_ON_A_LIST}"
            )
            raise ValueError(msg)
        return self

    @property
    def has_database(self) -> bool:
        """Whether there is a database to open: one named by its URL, or the file of a platform that was started here."""
        return self.database is not None or (self.home.var / "sandbox.sqlite").is_file()

    @property
    def admin_address(self) -> Address:
        """Where the gateway's control API listens."""
        return peer_address(self.admin, default_port=self.ports.admin)

    @property
    def bank_address(self) -> Address:
        """Where the bank listens."""
        return peer_address(self.bank, default_port=self.ports.bank)


def load_settings(*, home: Path | None = None, base_port: int | None = None) -> SandboxSettings:
    """Read the settings; what is given here goes before the environment. Raises `SettingsRefused`."""
    given = {"home_path": home, "base_port": base_port}
    return read_settings(SandboxSettings, {name: value for name, value in given.items() if value is not None})


def service_environment(settings: SandboxSettings) -> dict[str, str]:
    """Return the environment of the platform's servers: this process's own, with this home and these ports."""
    environment = dict(os.environ)
    # By glibc's own measure each thread keeps for good what making one bank took: 290 MB for eight of them, not 170.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    for prefix in _SERVICE_PREFIXES:
        environment[f"{prefix}HOME"] = str(settings.home.path)
        environment[f"{prefix}BASE_PORT"] = str(settings.base_port)
        environment[f"{prefix}PUBLIC_HOST"] = settings.public_host
    return environment

"""What the settings of every service have in common, and how a bad value is refused at start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.addresses import DEFAULT_BASE_PORT, Address, PortTable, parse_address
from chassis.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsRefused(ValueError):
    """A setting that makes no sense; the message names the variable and what would be right."""


def _require_port_table(base: int) -> int:
    PortTable(base)
    return base


def _require_address(text: str) -> str:
    parse_address(text)
    return text


BasePort = Annotated[int, AfterValidator(_require_port_table)]
AddressText = Annotated[str, AfterValidator(_require_address)]


class ServiceSettings(BaseSettings):
    """Where a service keeps its files, how it listens, how the world addresses it.

    A service gives `home_path` and `database` their variables (`BANK_HOME`, `BANK_DATABASE_URL`) and its own fields.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    database_name: ClassVar[str]

    home_path: Path = Path()
    base_port: BasePort = Field(default=DEFAULT_BASE_PORT, description="all ports of the platform shift with it")
    database: str | None = None
    public_host: str = Field(default="localhost", min_length=1, max_length=253, description="host name in public addresses")

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
        """The service's database."""
        return self.database or self.home.database_url(self.database_name)


_Settings = TypeVar("_Settings", bound=ServiceSettings)


def read_settings(kind: type[_Settings], given: Mapping[str, object] | None = None) -> _Settings:
    """Read settings from the environment; what is `given` goes before it. Raises `SettingsRefused`."""
    try:
        return kind(**(given or {}))  # type: ignore[arg-type]
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        raise SettingsRefused("; ".join(_complaint(dict(fault), prefix) for fault in error.errors())) from error


def peer_address(text: str | None, *, default_port: int) -> Address:
    """Return where a peer listens: as set, or on this machine."""
    return parse_address(text) if text else Address("localhost", default_port)


def _complaint(fault: Mapping[str, object], prefix: str) -> str:
    # Without the value: a database URL holds a password.
    location = fault["loc"]
    name = str(location[0]) if isinstance(location, tuple) and location else "setting"
    variable = name if name.isupper() else f"{prefix}{name.upper()}"
    return f"{variable}: {str(fault['msg']).removeprefix('Value error, ')}"

"""What the settings of every service have in common, and how a bad value is refused at start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.addresses import DEFAULT_BASE_PORT, Address, PortTable, parse_peer
from chassis.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping


_LONGEST_PASSWORD = 1_024


class SettingsRefused(ValueError):
    """A setting that makes no sense; the message names the variable and what would be right."""


def _require_port_table(base: int) -> int:
    PortTable(base)
    return base


def _require_address(text: str) -> str:
    parse_peer(text, default_port=DEFAULT_BASE_PORT)
    return text


def _require_password(file: Path | None) -> Path | None:
    if file is not None:
        read_password(file)
    return file


def read_password(file: Path) -> str:
    """Return the password that is the whole content of `file`, line end aside; raises `ValueError` naming the file."""
    try:
        with file.open(encoding="utf-8") as opened:
            password = opened.read(_LONGEST_PASSWORD + 2).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise ValueError(msg) from error
    if not password or len(password) > _LONGEST_PASSWORD or "\n" in password:
        msg = f"{file} must hold a password and nothing else, on one line of at most {_LONGEST_PASSWORD} characters"
        raise ValueError(msg)
    return password


def with_password(url: str, password: str) -> str:
    """Return a `postgresql://user@host/name` with its password; raises `ValueError` for a URL that has no place for one."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgresql") or not parts.username or parts.password is not None:
        raise ValueError("a password file goes with a database URL like postgresql://USER@HOST/NAME, without a password in it")
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


BasePort = Annotated[int, AfterValidator(_require_port_table)]
AddressText = Annotated[str, AfterValidator(_require_address)]
PasswordFile = Annotated[Path | None, AfterValidator(_require_password)]


class ServiceSettings(BaseSettings):
    """Where a service keeps its files, how it listens, how the world addresses it.

    A service gives `home_path` and `database` their variables (`BANK_HOME`, `BANK_DATABASE_URL`) and its own fields.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    database_name: ClassVar[str]

    home_path: Path = Path()
    base_port: BasePort = Field(default=DEFAULT_BASE_PORT, description="all ports of the platform shift with it")
    database: str | None = None
    # A password in the environment is seen by whoever may look at the process; a file has an owner and a mode.
    database_password_file: PasswordFile = Field(
        default=None, description="file holding the password of the database URL's user, which then names none itself"
    )
    public_host: str = Field(default="localhost", min_length=1, max_length=253, description="host name in public addresses")
    internal_bind_host: str = Field(default="localhost", min_length=1, description="address that internal listeners bind")
    log_to_stderr: bool = Field(default=False, description="log to standard error instead of files in HOME/var/log")

    @model_validator(mode="after")
    def _require_url_for_password(self) -> Self:
        if self.database_password_file is not None:
            with_password(self.database or "", read_password(self.database_password_file))
        return self

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
        """The service's database; holds the password where there is one."""
        if self.database is None:
            return self.home.database_url(self.database_name)
        if self.database_password_file is None:
            return self.database
        return with_password(self.database, read_password(self.database_password_file))

    def log_file(self, name: str) -> Path | None:
        """Return the file that server `name` logs to; None for standard error."""
        return None if self.log_to_stderr else self.home.log / f"{name}.jsonl"


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
    return parse_peer(text or "localhost", default_port=default_port)


def _complaint(fault: Mapping[str, object], prefix: str) -> str:
    # Without the value: a database URL holds a password.
    location = fault["loc"]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if not isinstance(location, tuple) or not location:
        return f"{prefix.rstrip('_')}: {message}"  # about several settings together
    name = str(location[0])
    variable = name if name.isupper() else f"{prefix}{name.upper()}"
    return f"{variable}: {message}"

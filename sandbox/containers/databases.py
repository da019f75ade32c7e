"""Which databases there are on a PostgreSQL server, whose they are, and what each service's user may do in its own.

Tables belong to an owner whom nobody can log in as; `sandbox init` migrates in its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

READ: Final = "SELECT"
WRITE: Final = "SELECT, INSERT, UPDATE, DELETE"
APPEND: Final = "SELECT, INSERT, DELETE"


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may do to the rows of its database's tables; to those of single ones what `on` says: nothing if empty."""

    everywhere: str
    on: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """A service's database: the package that migrates it, and its users with what they may do to its rows."""

    name: str
    package: str
    rights: Mapping[str, Rights]

    @property
    def owner(self) -> str:
        """The role that the tables belong to."""
        return f"{self.name}_owner"

    @property
    def url_variable(self) -> str:
        """The setting that names this database to its service."""
        return f"{self.name.upper()}_DATABASE_URL"


# Audit records tell what the edge and the authorization server did: those neither read nor change them. Nobody rewrites one.
_NO_AUDIT: Final = {"audit_records": "", "audit_places": ""}
# The edge decides by what others write. Its own is what it counts, what it has asked about certificates, and what clients'
# addresses have given of their keys; an address that it blocks for guessing it announces to the other workers.
_EDGES_OWN: Final = {
    "limit_accounts": WRITE,
    "ocsp_answers": WRITE,
    "crl_points": WRITE,
    "client_key_sets": WRITE,
    "changes": APPEND,
}

_GATEWAY: Final = {
    "edge": Rights(READ, on=_EDGES_OWN | _NO_AUDIT),
    "authorization": Rights(WRITE, on=_NO_AUDIT),
    "admin": Rights(WRITE, on={"audit_records": APPEND}),
}
DATABASES: Final = (
    ServiceDatabase("sandbox", "sandbox", {"portal": Rights(WRITE)}),
    ServiceDatabase("gateway", "gateway", _GATEWAY),
    ServiceDatabase("bank", "bank_backend", {"bank": Rights(WRITE)}),
)
USERS: Final = frozenset(user for database in DATABASES for user in database.rights)


def owner_url(superuser_url: str, database: ServiceDatabase) -> str:
    """Return the URL with which the superuser works in a database in the name of its owner."""
    parts = urlsplit(superuser_url)
    in_its_name = f"options={quote(f'-c role={database.owner}', safe='')}"
    query = f"{parts.query}&{in_its_name}" if parts.query else in_its_name
    return parts._replace(path=f"/{database.name}", query=query).geturl()

"""The sandbox's database: certificates, the register of TPPs, developers; `python -m sandbox.database` migrates it.

Times are epoch seconds, UTC; serial numbers and hashes lower-case hex.
"""

import sys
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from chassis.sql.database import database_command, open_engine, require_current

PACKAGE: Final = "sandbox"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("ca", Text, nullable=False),  # an authority's name, or `stranger` or `itself` for test certificates
    Column("profile", Text, nullable=False),
    Column("tpp", Text),  # null for the platform's own
    Column("authorisation_number", Text),
    Column("subject", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("key_sha256", Text, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("not_after", Double, nullable=False),
    Column("issued_at", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("revoked_at", Double),
    Column("fault", Text),
    Column("replaces", Text),
    Column("der", LargeBinary, nullable=False),
    Index(None, "sha256", unique=True),
    Index(None, "key_sha256"),
    Index(None, "tpp", "issued_at"),
    Index(None, "authorisation_number", "issued_at"),
    Index(None, "ca", "status"),
)

crls = Table(
    "crls",
    metadata,
    Column("ca", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("issuer_key_sha256", Text, nullable=False),  # a CRL of an authority that was made anew is worth nothing
    Column("this_update", Double, nullable=False),
    Column("next_update", Double, nullable=False),
    Column("der", LargeBinary, nullable=False),
)

tpps = Table(
    "tpps",
    metadata,
    Column("authorisation_number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("roles", Text, nullable=False),  # wire names, space separated
    Column("redirect_uris", Text, nullable=False),  # a JSON array of strings
    Column("profile", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("seed", BigInteger),
    Column("status", Text, nullable=False),
    Column("access_token_sha256", Text),  # the token itself is kept nowhere
    Column("created_at", Double, nullable=False),
    Column("organisation_id", Text, ForeignKey("organisations.id")),  # null: nobody's in the portal, until it is claimed
    Column("block_reason", Text),
    Column("client_metadata", Text, nullable=False, server_default="{}"),  # a JSON object, as the gateway takes it
    Index(None, "name", unique=True),
    Index(None, "client_id", unique=True),
    Index(None, "organisation_id"),
)

# Numbers of TPPs that have left, each kept for whoever had it.
former_tpps = Table(
    "former_tpps",
    metadata,
    Column("authorisation_number", Text, primary_key=True),
    Column("organisation_id", Text, ForeignKey("organisations.id")),
    Column("access_token_sha256", Text),
    Column("left_at", Double, nullable=False),
    Index(None, "organisation_id"),
)

# Forms that were sent to have a certificate issued: a form that comes twice is answered once.
issuing_orders = Table(
    "issuing_orders",
    metadata,
    Column("authorisation_number", Text, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("serial", Text),  # null while the certificate is being issued
    Column("at", Double, nullable=False),
    Index(None, "at"),
)

organisations = Table(
    "organisations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

developers = Table(
    "developers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),  # as it was written
    Column("email_key", Text, nullable=False),  # as it is compared
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # Argon2id, PHC string
    Column("is_operator", Boolean, nullable=False),
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("disabled_at", Double),  # since when the operator lets nobody in with this account
    Index(None, "email_key", unique=True),
    Index(None, "organisation_id"),
)

portal_sessions = Table(
    "portal_sessions",
    metadata,
    Column("key", Text, primary_key=True),  # SHA-256 of the token, which the browser alone has
    Column("developer_id", Text, ForeignKey("developers.id"), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("last_seen_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),  # at the latest
    Column("ended_at", Double),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Index(None, "developer_id"),
    Index(None, "expires_at"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("key", Text, primary_key=True),  # SHA-256 of the link's secret
    Column("organisation_id", Text, ForeignKey("organisations.id"), nullable=False),
    Column("invited_by", Text, ForeignKey("developers.id"), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
    Index(None, "organisation_id"),
    Index(None, "expires_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("kind", Text, primary_key=True),  # `sign-in:account`, `sign-up:address`, …
    Column("subject", Text, primary_key=True),  # whom or what is counted
    Column("count", Integer, nullable=False),
    Column("window_ends_at", Double, nullable=False),
    Index(None, "window_ends_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("subject", Text, primary_key=True),  # `trust-store`, `crl:tpp-issuing`
    Column("sha256", Text, nullable=False),  # of what the gateway has acknowledged
    Column("delivered_at", Double, nullable=False),
)


def open_sandbox_engine(url: str, *, threads: int = 8) -> Engine:
    """Open `url` for `threads` threads, at the schema that this code knows (DatabaseBehind, DatabaseTooNew if not)."""
    engine = open_engine(url, threads=threads)
    require_current(engine, PACKAGE)
    return engine


def main() -> int:
    """Bring the database that the settings name to the newest schema."""
    from sandbox.config import load_settings

    return database_command(PACKAGE, load_settings().database_url)


if __name__ == "__main__":
    sys.exit(main())

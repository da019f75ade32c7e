"""The sandbox's database: certificates and CRLs; `python -m sandbox.database` migrates it.

Times are epoch seconds, UTC; serial numbers and hashes lower-case hex.
"""

import sys
from typing import Final

from sqlalchemy import BigInteger, Column, Double, Engine, Index, LargeBinary, MetaData, Table, Text

from chassis.database import database_command, open_engine, require_current

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


def open_sandbox_engine(url: str) -> Engine:
    """Open `url`, once its schema is the one that this code knows (DatabaseBehind, DatabaseTooNew if not)."""
    engine = open_engine(url)
    require_current(engine, PACKAGE)
    return engine


def main() -> int:
    """Bring the database that the settings name to the newest schema."""
    from sandbox.config import load_settings

    return database_command(PACKAGE, load_settings().database_url)


if __name__ == "__main__":
    sys.exit(main())

"""The gateway's database, opened at the schema that this code knows; `python -m gateway.database` brings it there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from chassis.sql.database import EXIT_UNUSABLE, database_command, open_engine, require_current

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import GatewaySettings

PACKAGE: Final = "gateway"


def open_gateway_engine(url: str, *, threads: int = 8) -> Engine:
    """Open the database for `threads` threads, at the schema this code knows; raises `DatabaseBehind`, `DatabaseTooNew`."""
    engine = open_engine(url, threads=threads)
    require_current(engine, PACKAGE)
    return engine


def main() -> int:
    """Bring the database that the settings name to the newest schema, with the documents of a start; returns the exit status.

    The documents too, because an edge of its own may not write them (docs/compose.md).
    """
    from chassis.settings import SettingsRefused
    from gateway.config import load_settings

    try:
        settings = load_settings()
    except SettingsRefused as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    return database_command(PACKAGE, settings.database_url) or _documents_of_start(settings)


def _documents_of_start(settings: GatewaySettings) -> int:
    from gateway.configuration.files import FileRefused
    from gateway.configuration.snapshot import SetRefused
    from gateway.seeds import apply_documents_of_start

    engine = open_gateway_engine(settings.database_url)
    try:
        apply_documents_of_start(engine, settings)
    except (SetRefused, FileRefused) as error:
        sys.stderr.write(f"the gateway's documents: {error}\n")
        return EXIT_UNUSABLE
    finally:
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())

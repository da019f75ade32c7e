"""What each service's `migrations/env.py` runs: the revisions, on the connection that `chassis.sql.database.migrate` opened."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Run the revisions on the caller's connection and inside its transaction."""
    context.configure(connection=context.config.attributes["connection"], render_as_batch=True, transactional_ddl=False)
    context.run_migrations()

"""Alembic entry point (Alembic runs this file)."""

from chassis.sql.migrations_env import run

run()

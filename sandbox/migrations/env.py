"""Alembic entry point (Alembic runs this file)."""

from chassis.migrations_env import run

run()

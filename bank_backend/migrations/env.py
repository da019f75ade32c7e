"""Alembic's entry: the shared runner, on the connection that `chassis.database` opened."""

from chassis.migrations_env import run

run()

"""Alembic's entry: the shared runner, on the connection that `chassis.sql.database` opened."""

from chassis.sql.migrations_env import run

run()

"""Snapshots, faults, and a guarded way to replace a tenant's rows in an append-only ledger."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None

# The ledger's tables, with the tenant of a row `{row}`.
_TENANT_OF: Final = {
    "entries": "{row}.tenant",
    "postings": "{row}.tenant",
    "holds": "{row}.tenant",
    "hold_ends": "(SELECT holds.tenant FROM holds WHERE holds.id = {row}.hold_id)",
}


def upgrade() -> None:
    """Make the tables, and the ledger's guards anew: a row is deleted inside an open replacement of its tenant only."""
    _snapshots()
    _replacements()
    _faults()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Drop the tables and put the guards back that let nothing through."""
    if op.get_bind().dialect.name == "postgresql":
        _unguard_postgresql()
    else:
        _unguard_sqlite()
    for table in ("faults", "replacements", "replacement_guard", "snapshots"):
        op.drop_table(table)


def _snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("taken_at", sa.Float, nullable=False),
        sa.Column("tenant_time", sa.Float, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_snapshots"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_snapshots_tenant"),
    )


def _replacements() -> None:
    op.create_table(
        "replacement_guard",
        sa.Column("id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replacement_guard"),
        sa.CheckConstraint("id IS NULL", name="ck_replacement_guard_empty"),
    )
    op.create_table(
        "replacements",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("written", sa.Integer, nullable=False),
        sa.Column("open", sa.String(36)),
        sa.PrimaryKeyConstraint("id", name="pk_replacements"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_replacements_tenant"),
        sa.ForeignKeyConstraint(
            ["open"], ["replacement_guard.id"], name="fk_replacements_open", deferrable=True, initially="DEFERRED"
        ),
    )
    op.create_index("ix_replacements_tenant", "replacements", ["tenant", "at"])


def _faults() -> None:
    op.create_table(
        "faults",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("effect", sa.JSON, nullable=False),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("calls", sa.Integer),
        sa.Column("matched", sa.Integer, nullable=False),
        sa.Column("struck", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_faults"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_faults_tenant"),
    )
    op.create_index("ix_faults_tenant", "faults", ["tenant", "position"])


def _guard_sqlite() -> None:
    for table, tenant in _TENANT_OF.items():
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS "  # noqa: S608 - constants
            f"(SELECT 1 FROM replacements WHERE tenant = {tenant.format(row='OLD')} AND open IS NOT NULL) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: post a correcting entry'); END"
        )


def _unguard_sqlite() -> None:
    for table in _TENANT_OF:
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: post a correcting entry'); END"
        )


def _guard_postgresql() -> None:
    for table, tenant in _TENANT_OF.items():
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        # Judged for a whole statement at once: one by one, thousands of rows would take seconds.
        op.execute(
            f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - constants
            f"IF EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS (SELECT 1 FROM replacements WHERE replacements.open IS NOT NULL "
            f"AND replacements.tenant = {tenant.format(row='gone')})) THEN "
            "RAISE EXCEPTION '% is append-only: post a correcting entry', TG_TABLE_NAME; END IF; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_kept AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone "
            f"FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
        )


def _unguard_postgresql() -> None:
    for table in _TENANT_OF:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")
        op.execute(f"DROP FUNCTION keep_{table}()")
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )

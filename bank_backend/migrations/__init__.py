"""Revisions of the bank's database, run by Alembic."""

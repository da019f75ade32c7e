"""Databases: SQLite and PostgreSQL opened alike, statements kept, journals put back."""

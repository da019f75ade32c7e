"""TPPs and their clients."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Table, Text

from gateway.tables.base import metadata

tpps = Table(
    "tpps",
    metadata,
    Column("authorisation_number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("nca_id", Text, nullable=False),
    Column("nca_name", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column(
        "authorisation_number",
        Text,
        ForeignKey("tpps.authorisation_number"),
        nullable=False,
    ),
    Column("name", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),  # a JSON array of strings
    Column("profile", Text, nullable=False),
    Column("token_endpoint_auth_method", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("oauth_metadata", Text, nullable=False, server_default="{}"),  # a JSON object: the members that have no column
    Index(None, "authorisation_number"),
)

# The self-signed certificates that clients authenticate by (RFC 8705 §2.2); each is of one TPP, of one or several clients.
client_certificates = Table(
    "client_certificates",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("authorisation_number", Text, nullable=False),
    Index(None, "client_id"),
)

"""Keys of the authorization server, and those that clients publish."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text

from gateway.tables.base import metadata

# The keys that the authorization server signs with; who reads the database can sign nothing.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("alg", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the keys for this algorithm, from 1 on
    Column("jwk", Text, nullable=False),  # the public key, as it is published
    Column("sealed", LargeBinary, nullable=False),  # the private key
    Column("published_at", Double, nullable=False),
    Column("signs_from", Double),  # null: the successor
    Column("withdrawn_at", Double),
    Index(None, "alg", "number", unique=True),
)

# What the addresses that clients name as `jwks_uri` have given, and when they were last asked.
client_key_sets = Table(
    "client_key_sets",
    metadata,
    Column("url", Text, primary_key=True),
    Column("tried_at", Double, nullable=False),
    Column("failure", Text),  # of the last try; null where it went well, or still goes on
    Column("jwks", Text),  # what came last; null where nothing ever did
    Column("fetched_at", Double),
    Index(None, "tried_at"),
)

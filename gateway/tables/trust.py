"""Whose certificates are taken, what is revoked, and which ends have been told."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text

from gateway.tables.base import metadata

trust_certificates = Table(
    "trust_certificates",
    metadata,
    Column("store", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("pem", Text, nullable=False),
)

crls = Table(
    "crls",
    metadata,
    Column("store", Text, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("number", Text, nullable=False),  # decimal: up to 20 octets (RFC 5280 §5.2.3), wider than any SQL integer
    Column("this_update", Double, nullable=False),
    Column("next_update", Double, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),  # of the DER
    Column("serial_width", Integer, nullable=False),  # octets of each of the serial numbers
    Column("serials", LargeBinary, nullable=False),  # as gateway.trust.serials lays them out
    Column("source", Text, nullable=False),  # where it came from: `pushed`, or the address it was fetched from
    Column("taken_at", Double, nullable=False),
)

ocsp_answers = Table(
    "ocsp_answers",
    metadata,
    Column("key", Text, primary_key=True),  # trust store, certificate and issuer (gateway.trust.ocsp_status)
    Column("verdict", Text, nullable=False),
    Column("as_of", Double, nullable=False),
    Column("known_until", Double, nullable=False),
    Column("refresh_at", Double, nullable=False),
    Column("responder", Text, nullable=False),
    Column("revoked_at", Double, nullable=False),
    Column("taken_at", Double, nullable=False),
    # Serial number (hex) of the delegated signer, which may be revoked later; empty where the issuer has signed itself.
    Column("signer", Text, nullable=False, server_default=""),
    Index(None, "known_until"),
)

crl_points = Table(
    "crl_points",
    metadata,
    Column("store", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("named_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("tried_at", Double),
    Column("taken_at", Double),
    Column("etag", Text),
    Column("failure", Text),  # of the last try; null where it went well
)

blocked_certificates = Table(
    "blocked_certificates",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
)

# How near their end certificates have been told to be, in days.
expiry_notices = Table(
    "expiry_notices",
    metadata,
    Column("place", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("days", Integer, primary_key=True),
    Column("at", Double, nullable=False),
)

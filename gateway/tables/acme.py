"""Certificates from public CAs: accounts, orders, challenges."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text

from gateway.tables.base import metadata

# Accounts at CAs that speak ACME, a key of its own for each; sealed with the key of the documents.
acme_accounts = Table(
    "acme_accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("directory", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("url", Text),
    Column("made_at", Double, nullable=False),
)

# How far each certificate of the kind `acme-certificates` has come; its open order, if it has one, with a sealed key.
acme_progress = Table(
    "acme_progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("wanted", Text, nullable=False),
    Column("tried_at", Double),
    Column("next_try_at", Double),
    Column("leased_until", Double),
    Column("failures", Integer, nullable=False),
    Column("failure", Text),
    Column("obtained_at", Double),
    Column("sha256", Text),
    Column("renew_at", Double),
    Column("ask_at", Double),
    Column("order_directory", Text),
    Column("order_url", Text),
    Column("order_key", LargeBinary),
)

# What the edge answers CAs on plain HTTP (RFC 8555 §8.3), while an order is under way.
acme_challenges = Table(
    "acme_challenges",
    metadata,
    Column("token", Text, primary_key=True),
    Column("answer", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index(None, "expires_at"),
)

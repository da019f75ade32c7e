"""Clients that TPPs register by themselves, over mutual TLS with their QWAC (RFC 7591, RFC 7592)."""

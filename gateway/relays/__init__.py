"""Relays: who stands in front of the gateway, ends the client's TLS there, and says who the client was."""

"""Pushed authorization requests (RFC 9126): handed over by the client itself; the browser brings a reference."""

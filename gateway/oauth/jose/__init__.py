"""Signed messages of clients and of this server: keys, JWS, and what is made of them (RFC 7515, RFC 7517, RFC 8725)."""

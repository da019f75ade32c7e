"""Proofs of possession of a key, made for one request each (RFC 9449): judged at the token endpoint and by the edge."""

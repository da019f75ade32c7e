"""Proofs of possession at the OAuth endpoints: which key a token or a code is bound to (RFC 9449 §5, §10)."""

"""Consents and payments that the authorization server makes in a TPP's name, for what its PSU is to grant (RFC 9396)."""

"""Grants that clients can name, ask about, replace and revoke (OpenID Grant Management for OAuth 2.0)."""

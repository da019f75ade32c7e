"""Grants that clients can name, ask about, replace, merge and revoke (OpenID Grant Management for OAuth 2.0)."""

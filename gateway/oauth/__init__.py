"""The authorization server: authorization code with PKCE, certificate-bound tokens, and the Berlin Group scope."""

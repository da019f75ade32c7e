"""PSUs asked in their bank app at the word of the authorization server, with no browser in between (OpenID CIBA Core 1.0)."""

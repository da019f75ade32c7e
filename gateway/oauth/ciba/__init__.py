"""Authorization without a browser: a client asks, the PSU decides in its bank app (OpenID CIBA Core 1.0, FAPI-CIBA)."""

"""The sandbox's trust service provider: issues, lists, renews and revokes certificates (RFC 5280, EN 319 412, TS 119 495)."""

"""The bank's front door: TLS edge, admission, authorization server, control API."""

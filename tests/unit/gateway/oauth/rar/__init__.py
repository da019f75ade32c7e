"""What rich authorization requests may say (RFC 9396)."""

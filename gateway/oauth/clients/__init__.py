"""Who a client is: authentication by certificate or signed assertion (RFC 8705 §2, RFC 7523 §3)."""

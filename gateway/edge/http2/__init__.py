"""HTTP/2 with clients (RFC 9113): another face of the same core, on connections that chose it in TLS."""

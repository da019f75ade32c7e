"""TLS of the public listeners: contexts, handshakes, sessions, certificates by server name, and the staples of each."""

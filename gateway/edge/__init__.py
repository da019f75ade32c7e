"""The data plane: public TLS, the HTTP face, and forwarding what was admitted to internal servers."""

"""HTTP/1.1 with clients (RFC 9112): requests parsed strictly, one after the other, each handed to the core."""

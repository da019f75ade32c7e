"""The audit trail: one record for each request and each failed handshake, on disk before the answer ends."""

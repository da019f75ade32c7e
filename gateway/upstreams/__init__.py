"""Upstreams: the servers behind the gateway, and how it proves who they are."""

"""The tables of the gateway's database, by what they are about; `gateway/migrations` makes them.

Times are epoch seconds, UTC. Tokens, codes and one-time ids are stored as SHA-256 only: who reads the database can use
none of them.
"""

from gateway.tables import acme, audit, configuration, keys, limits, oauth, register, trust

__all__ = ["acme", "audit", "configuration", "keys", "limits", "oauth", "register", "trust"]

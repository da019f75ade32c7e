"""Seeded customers with thirteen believable months of transactions."""

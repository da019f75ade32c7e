"""Seeded customers with a believable year of transactions."""

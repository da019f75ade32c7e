"""Grants that clients manage."""

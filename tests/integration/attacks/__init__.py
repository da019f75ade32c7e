"""Attacks on a running edge: none gets past it, none stops it from serving others."""

"""Interactions: one visit of a PSU to the bank to decide one request (docs/architecture.md §3.2)."""

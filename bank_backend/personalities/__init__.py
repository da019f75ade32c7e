"""Personalities: how one bank differs from another in what it offers, demands and forgives."""

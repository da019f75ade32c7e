"""Tenants: one TPP's own bank, which no other TPP can see."""

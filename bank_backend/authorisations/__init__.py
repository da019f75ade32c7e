"""Authorisation sub-resources of consents and payments, and their SCA status (BG IG 1.3.8 §7)."""

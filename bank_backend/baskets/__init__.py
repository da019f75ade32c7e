"""Signing baskets: several payments and consents, authorised together (BG IG 1.3.8 §8)."""

"""Confirmation of funds and the PIIS consents it needs (BG IG 1.3.8 §10, XS2A-COFC 2.0)."""

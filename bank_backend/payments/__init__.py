"""Payments of every service and product, from initiation to settlement or cancellation (BG IG 1.3.8 §5)."""

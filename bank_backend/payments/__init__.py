"""Payment initiation: sepa-credit-transfers from receipt to settlement (BG IG 1.3.8 §5.3)."""

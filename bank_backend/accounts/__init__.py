"""Payment accounts, who holds them, and the account information resources (BG IG 1.3.8 §6.5)."""

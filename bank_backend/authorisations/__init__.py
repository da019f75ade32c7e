"""How consents, payments, cancellations and baskets are authorised: approach, SCA status, signatures (BG IG 1.3.8 §4.6, §7)."""

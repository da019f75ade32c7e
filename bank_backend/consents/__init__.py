"""Account information consents: what a PSU lets a TPP see, how long and how often (BG IG 1.3.8 §6.3)."""

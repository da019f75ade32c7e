"""The pages that a PSU sees: a visit (sign in, choose accounts, review, confirm), and the bank app."""

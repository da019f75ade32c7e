"""The pages that a PSU sees: sign in, choose accounts, review, confirm with a code."""

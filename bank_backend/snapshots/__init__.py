"""A tenant's whole state, taken under a name and put back."""

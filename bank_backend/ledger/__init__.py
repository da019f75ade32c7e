"""Double-entry book-keeping: append only, integer minor units, every entry sums to zero."""

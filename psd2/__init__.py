"""The vocabulary of PSD2 open banking, as pure types: no I/O, no framework."""

"""What the edge and the services behind it tell each other in header fields, written and read in one place."""

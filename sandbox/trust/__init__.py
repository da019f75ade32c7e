"""What the gateway must know of our certificate authority, and making sure that it does."""

"""What the authorization server makes at the bank."""

"""What a tenant's bank is to do wrong, on which calls, for how long."""

"""Authorization without a browser."""

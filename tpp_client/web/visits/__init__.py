"""What the app remembers of a browser: its bank connection, its payments, an authorization that is under way."""

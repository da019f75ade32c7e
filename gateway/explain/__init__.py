"""A dry run of a request's way through the gateway: every check with its verdict, nothing forwarded, nothing spent."""

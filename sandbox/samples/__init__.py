"""Ready-made first calls of a TPP, with its own values in them: curl, Python, Postman."""

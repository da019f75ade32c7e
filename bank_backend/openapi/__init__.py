"""Our own OpenAPI 3.1 document, made from what the handlers declare beside their routes."""

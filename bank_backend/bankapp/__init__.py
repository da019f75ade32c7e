"""The bank app: where a PSU of a tenant sees what waits for it, and manages its methods, consents and payments."""

"""What keeps a platform from being made ready."""


class NotInitialised(RuntimeError):
    """A step that could not be done; the message says which setting or server is the reason, and holds no password."""

"""gunicorn's settings for the bank: `gunicorn -c python:bank_backend.server "bank_backend.wsgi:bank()"`."""

import bank_backend.wsgi  # noqa: F401 - loaded once, before workers are forked from it
from bank_backend.config import load_settings
from chassis.serving.listener import InternalListener, internal_listener

_settings = load_settings()

globals().update(
    internal_listener(
        InternalListener(
            name="bank",
            home=_settings.home,
            host=_settings.internal_bind_host,
            port=_settings.ports.bank,
            workers=_settings.workers,
            threads=_settings.threads,
        )
    )
)

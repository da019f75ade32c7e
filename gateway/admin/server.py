"""gunicorn's settings for the control API."""

import gateway.wsgi  # noqa: F401 - loaded once, before workers are forked from it
from chassis.serving.listener import InternalListener, internal_listener
from gateway.config import load_settings

_settings = load_settings()

globals().update(
    internal_listener(
        InternalListener(
            name="admin",
            home=_settings.home,
            host=_settings.internal_bind_host,
            port=_settings.ports.admin,
            threads=_settings.admin_threads,
        )
    )
)

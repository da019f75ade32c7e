"""gunicorn's settings for the portal: `gunicorn -c python:sandbox.portal.server "sandbox.wsgi:portal()"`."""

import sandbox.wsgi  # noqa: F401 - loaded once, before workers are forked from it
from chassis.serving.listener import InternalListener, internal_listener
from sandbox.config import load_settings

_settings = load_settings()

globals().update(
    internal_listener(
        InternalListener(
            name="portal",
            home=_settings.home,
            host=_settings.internal_bind_host,
            port=_settings.ports.portal_internal,
            # One worker: it holds the thread that keeps the gateway's trust and the certificates fresh.
            workers=1,
            threads=_settings.threads,
        )
    )
)

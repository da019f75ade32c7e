"""gunicorn's settings for the demo app: `gunicorn -c python:tpp_client.web.server "tpp_client.web.wsgi:demo()"`."""

import tpp_client.web.wsgi  # noqa: F401 - loaded once, before workers are forked from it
from chassis.serving.listener import InternalListener, internal_listener
from tpp_client.web.config import load_settings

_settings = load_settings()

globals().update(
    internal_listener(
        InternalListener(
            name="demo",
            home=_settings.home,
            host=_settings.internal_bind_host,
            port=_settings.ports.demo_internal,
            # One worker: it paces its visitors in memory.
            workers=1,
            threads=_settings.threads,
        )
    )
)

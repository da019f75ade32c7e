"""Requests as internal servers read them: gunicorn's own, with nobody before us who is believed what he says of the client.

gunicorn asks its settings for some twenty things a request, through its descriptions of them: here they are plain values.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

if TYPE_CHECKING:
    from gunicorn.config import Config


class IncomingRequest(Request):  # type: ignore[misc]
    """A request of a caller that has proved who it is, over the TLS that ends here."""

    def _peer_is_trusted_proxy(self) -> bool:
        """Believe no field that would change the scheme or a part of the path; gunicorn's own believes whoever is at home."""
        return False


class IncomingParser(RequestParser):  # type: ignore[misc]
    """Reads such requests."""

    mesg_class = IncomingRequest


@lru_cache(maxsize=1)
def plain_settings(settings: Config) -> SimpleNamespace:
    """Return gunicorn's settings as plain values; nothing changes them once a worker runs."""
    values = {name: setting.get() for name, setting in settings.settings.items()}
    return SimpleNamespace(**values, is_ssl=settings.is_ssl)

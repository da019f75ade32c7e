"""The one cookie: 32 random bytes that name, and open, what is remembered of a browser. Nothing else is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flask.sessions import SessionInterface, SessionMixin

from psd2.ids import new_secret
from tpp_client.web.visits.sealing import form_token

if TYPE_CHECKING:
    from flask import Flask, Request, Response

# The prefix makes browsers refuse it without Secure and Path=/, and from any other host (RFC 6265bis §4.1.3.2).
COOKIE: Final = "__Host-kontoblick"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class BrowserSession(dict[str, Any], SessionMixin):
    """What Flask calls the session: the secret, and the form token that is made of it. It stores nothing else."""

    def __init__(self, secret: str, *, is_new: bool) -> None:
        """Hold the browser's secret."""
        super().__init__(csrf_token=form_token(secret))
        self.secret = secret
        self.is_new = is_new

    def renew(self) -> str:
        """Take a new secret, to be set when the request ends, and return it: what was known before opens nothing."""
        self.secret, self.is_new = new_secret(), True
        self["csrf_token"] = form_token(self.secret)
        return self.secret


class BrowserSessions(SessionInterface):
    """Reads and sets the cookie."""

    def __init__(self, *, lifetime_seconds: int) -> None:
        """Set cookies that live as long as visits do."""
        self._lifetime_seconds = lifetime_seconds

    def open_session(self, app: Flask, request: Request) -> BrowserSession:  # noqa: ARG002 - Flask's signature
        """Return the browser's session, or a new one."""
        secret = request.cookies.get(COOKIE, "")
        if _SECRET.fullmatch(secret):
            return BrowserSession(secret, is_new=False)
        return BrowserSession(new_secret(), is_new=True)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002 - Flask's signature
        """Set the cookie where it is new; what may be kept by caches never carries one."""
        if isinstance(session, BrowserSession) and session.is_new and response.headers.get("Cache-Control") == "no-store":
            response.set_cookie(
                COOKIE,
                session.secret,
                max_age=self._lifetime_seconds,
                secure=True,
                httponly=True,
                samesite="Lax",
                path="/",
            )

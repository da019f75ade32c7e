"""What the browser keeps: the token of its session, and a signed cookie for the forms' secret and for notices.

Both are `__Host-` cookies (RFC 6265bis §4.1.3.2), and neither is read or set on the plain-HTTP listener.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Final

from flask import request
from flask.sessions import SecureCookieSessionInterface

from chassis.files import write_private
from sandbox.developers.model import LIFETIME_SECONDS
from sandbox.portal.listeners import PublicListener, current_listener

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask, Request, Response
    from flask.sessions import SecureCookieSession, SessionMixin
    from werkzeug.wrappers import Response as AnyResponse

SESSION_COOKIE: Final = "__Host-portal"
FORMS_COOKIE: Final = "__Host-portal-forms"
_KEY_BYTES = 32


class FormSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, over HTTPS only, with SHA-256 where Flask still signs with SHA-1."""

    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; on any other listener there is an empty one."""
        if current_listener() is not PublicListener.PORTAL:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie; on any other listener none is set."""
        if current_listener() is PublicListener.PORTAL:
            super().save_session(app, session, response)


def install_form_sessions(app: Flask, key: bytes) -> None:
    """Keep the forms' secret and notices in a signed cookie of the browser."""
    app.secret_key = key
    app.session_interface = FormSessions()
    app.config.update(
        SESSION_COOKIE_NAME=FORMS_COOKIE,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )


def session_token() -> str | None:
    """Return the token that the browser sends; None on any listener but the portal's."""
    return request.cookies.get(SESSION_COOKIE) if current_listener() is PublicListener.PORTAL else None


def keep_token(response: AnyResponse, token: str) -> None:
    """Have the browser keep the token of a new session."""
    response.set_cookie(SESSION_COOKIE, token, max_age=LIFETIME_SECONDS, path="/", secure=True, httponly=True, samesite="Lax")


def drop_token(response: AnyResponse) -> None:
    """Have the browser forget the token."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")


def signing_key(file: Path) -> bytes:
    """Return the key that signs the forms' cookie, made at the first start; of several that start together one makes it."""
    if not file.exists():
        mine = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
        write_private(mine, secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(mine, file)
        except FileExistsError:
            pass  # another one was first: its key is everybody's
        finally:
            mine.unlink()
    return file.read_bytes()

"""Forms are taken only from pages that this very browser was shown (OWASP: synchronizer token, and the origin besides)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from flask import request, session
from flask_wtf.csrf import (  # type: ignore[import-untyped] # published without types, used in this module only
    CSRFError,
    CSRFProtect,
    generate_csrf,
)
from markupsafe import Markup

from sandbox.developers.service import session_key
from sandbox.portal.listeners import PublicListener, current_listener
from sandbox.portal.sessions import session_token

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["CSRFError", "csrf_field", "install_csrf"]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWNER = "of"  # which session the forms' secret belongs to


def install_csrf(app: Flask, *, exempt: tuple[str, ...]) -> None:
    """Judge every form of the app; blueprints named in `exempt` take no authority from a cookie.

    Call it once all blueprints are registered.
    """
    # As long as the session: a page left open for an hour must still work.
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)

    def own_forms_only() -> None:
        if request.blueprint not in exempt and current_listener() is PublicListener.PORTAL:
            _bind_to_session()
            _require_own_origin()

    app.before_request(own_forms_only)
    protection = CSRFProtect(app)
    for name in exempt:
        protection.exempt(app.blueprints[name])
    app.jinja_env.globals["csrf_field"] = csrf_field


def csrf_field() -> Markup:
    """Return the hidden field that every form carries."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _renew_forms() -> None:
    notices = session.get("_flashes")
    session.clear()
    if notices:
        session["_flashes"] = notices


def _require_own_origin() -> None:
    # Other ports of the same host count as the same site, and get its cookies: the origin tells them apart.
    origin = request.headers.get("Origin")
    if request.method not in _SAFE_METHODS and origin is not None and origin != f"https://{request.host}":
        raise CSRFError("the form comes from another address")


def _bind_to_session() -> None:
    """Forget the forms' secret where it was made for another session: planted, or known before signing in or out."""
    token = session_token()
    owner = session_key(token) if token else ""
    if not hmac.compare_digest(str(session.get(_OWNER, "")), owner):
        _renew_forms()
        if owner:
            session[_OWNER] = owner

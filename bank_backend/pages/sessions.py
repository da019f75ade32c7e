"""The browser's secret for one visit, and the CSRF token made of it.

A cookie for each interaction, so that visits side by side in one browser never mix; `__Host-` so that no other host or
path can plant one (RFC 6265bis §4.1.3.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from bank_backend.errors import ServiceBlocked
from bank_backend.interactions.model import INTERACTION_LIFETIME

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.wrappers import Response

# The bank app's session, where a visit's is named by its id.
APP = "app"
_TOLD = "__Host-psu-told"
_MOST_TOLD_CHARACTERS = 2_048
_MOST_SECRET_CHARACTERS = 128
# Of one browser at a time. All are sent with each request: some eighty are more than a server takes of a header, and whoever
# leads a browser to so many pages would lock its PSU out.
MOST_VISITS = 20
_VISIT = re.compile(r"__Host-psu-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The page after the decision is shown once more at most; the cookie outlives the visit by that.
_COOKIE_SECONDS = int(INTERACTION_LIFETIME.total_seconds()) + 60


class CsrfRefused(ServiceBlocked):
    """A form that did not come from the page that this browser was shown (403)."""

    problem_code = "page.csrf"
    title = "This form can't be taken"


def secret_of(request: Request, interaction_id: str) -> str | None:
    """Return what the browser keeps for this visit, or None."""
    secret = request.cookies.get(_name(interaction_id), "")
    return secret if 0 < len(secret) <= _MOST_SECRET_CHARACTERS else None


def csrf_token(secret: str) -> str:
    """Return the token that forms of this visit carry: only who knows the cookie can make it."""
    return hmac.new(secret.encode(), b"psu-form", hashlib.sha256).hexdigest()


def require_own_form(request: Request, interaction_id: str) -> str:
    """Return the browser's secret; raises `CsrfRefused` unless the form carries the token that belongs to it."""
    secret = secret_of(request, interaction_id)
    sent = request.form.get("csrf", "")
    if secret is None or not hmac.compare_digest(csrf_token(secret).encode(), sent.encode()):
        text = "the form did not come from a page that this window was shown, or cookies are off: open the page again"
        raise CsrfRefused(text)
    return secret


def begin_app(response: Response, secret: str) -> None:
    """Have the browser keep the bank app's secret until it is closed; the bank ends the session sooner."""
    response.set_cookie(_name(APP), secret, path="/", secure=True, httponly=True, samesite="Lax")


def end_app(response: Response) -> None:
    """Have the browser forget the bank app's secret."""
    response.delete_cookie(_name(APP), path="/", secure=True, httponly=True, samesite="Lax")


def tell_next(response: Response, text: str) -> None:
    """Have the next page of the bank app say this, once; nobody but the bank can set a `__Host-` cookie."""
    value = base64.urlsafe_b64encode(text.encode()).decode()
    response.set_cookie(_TOLD, value, max_age=60, path="/", secure=True, httponly=True, samesite="Strict")


def told_last(request: Request) -> str:
    """Return what the page before has left to be said, or nothing."""
    try:
        return base64.urlsafe_b64decode(request.cookies.get(_TOLD, "")[:_MOST_TOLD_CHARACTERS]).decode()
    except ValueError:
        return ""


def forget_told(response: Response) -> None:
    """Have the browser forget what has been said."""
    response.delete_cookie(_TOLD, path="/", secure=True, httponly=True, samesite="Strict")


def keep_secret(request: Request, response: Response, interaction_id: str, secret: str) -> None:
    """Have the browser keep the secret for this visit, in the place of those that it keeps longest where it keeps many."""
    kept = [name for name in request.cookies if _VISIT.fullmatch(name) and name != _name(interaction_id)]
    # Those made first are sent first (RFC 6265 §5.4).
    for name in kept[: max(0, len(kept) + 1 - MOST_VISITS)]:
        response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
    response.set_cookie(
        _name(interaction_id), secret, max_age=_COOKIE_SECONDS, path="/", secure=True, httponly=True, samesite="Lax"
    )


def _name(interaction_id: str) -> str:
    return f"__Host-psu-{interaction_id}"

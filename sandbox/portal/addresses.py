"""Where the browser goes next: to pages of this portal only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flask import redirect, request

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

_LONGEST_PATH = 500
_SEE_OTHER = 303


def own_path(text: str | None) -> str:
    """Return a path of this portal; anything else becomes the first page.

    Browsers take two slashes, or a slash and a backslash, for another host, and drop tabs and line ends before they look.
    """
    if not text or len(text) > _LONGEST_PATH or not text.isascii() or not text.isprintable() or "\\" in text:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    is_own = text.startswith("/") and not text.startswith("//") and not parts.scheme and not parts.netloc
    return text if is_own else "/"


def see_other(path: str) -> Response:
    """Send the browser to another page of ours after a form (RFC 9110 §15.4.4)."""
    return redirect(path, code=_SEE_OTHER)


def sign_in_path() -> str:
    """Return the way to the sign-in page, and from there back to what was asked for, where that can be asked for again."""
    if request.method not in {"GET", "HEAD"} or request.path == "/":
        return "/sign-in"
    wanted = request.full_path.removesuffix("?")
    return f"/sign-in?next={quote(wanted, safe='')}"

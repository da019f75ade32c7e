"""Headers that keep the pages from being framed, cached, scripted or leaked (CSP Level 3, RFC 9111 §5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, request

if TYPE_CHECKING:
    from flask import Response

# No script at all, but on pages that ask a passkey or look for news: our own files there, nothing inline. form-action: forms
# stay here; the way back to the TPP is a link, for Chromium applies form-action to every redirect that follows a form.
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_SCRIPTED_POLICY = f"{_POLICY}; script-src 'self'; connect-src 'self'"
_ALWAYS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STATIC_CACHING = "public, max-age=3600"


def allow_own_scripts() -> None:
    """Let the page in hand run the scripts that lie beside it."""
    g.runs_own_scripts = True


def add_security_headers(response: Response) -> Response:
    """Add them to a page; a stylesheet may be cached, a page never."""
    response.headers.update(_ALWAYS)
    response.headers["Content-Security-Policy"] = _SCRIPTED_POLICY if g.get("runs_own_scripts") else _POLICY
    # A shared script says itself how long it may be kept: its address names its content.
    if request.endpoint != "psu.look":
        response.headers["Cache-Control"] = _STATIC_CACHING if request.endpoint == "psu.static" else "no-store"
    return response

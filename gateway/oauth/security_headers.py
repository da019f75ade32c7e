"""The headers of every answer to a browser: not framed, not cached, no referrer, no script, no other origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flask import Response

BROWSER_HEADERS: Final = {
    # No form-action: browsers apply it to redirects after a form too, and would stop the one back to the client.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def add_browser_headers(response: Response) -> Response:
    """Add the headers, leaving a `Cache-Control` that the answer has already."""
    for name, value in BROWSER_HEADERS.items():
        response.headers.setdefault(name, value)
    return response

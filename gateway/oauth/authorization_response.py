"""The address a browser is sent back to, with the answer to an authorization request (RFC 6749 §4.1.2, RFC 9207)."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def response_url(redirect_uri: str, *, issuer: str, state: str | None, **answer: str) -> str:
    """Return the registered redirect URI with `answer`, `state` and `iss` appended; what it holds itself stays as it is.

    `iss` stands in every answer, errors too: a client that talks to several banks tells by it who answered.
    """
    parameters = answer | ({"state": state} if state is not None else {}) | {"iss": issuer}
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{urlencode(parameters, quote_via=quote)}"

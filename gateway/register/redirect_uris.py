"""Which redirect URIs a client may register (RFC 6749 §3.1.2, RFC 9700 §2.1, RFC 8252 §7.3)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from gateway.register.model import InvalidRedirectUri

MOST_CHARACTERS: Final = 2000
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 3986 §2: what may stand in a URI at all. No backslash, quote, space or control character gets past.
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


def require_redirect_uri(uri: str, field: str) -> None:
    """Raise `InvalidRedirectUri` unless a browser may be sent to `uri` with an authorization code."""
    if len(uri) > MOST_CHARACTERS:
        raise InvalidRedirectUri(field, f"has {len(uri)} characters: at most {MOST_CHARACTERS} are taken")
    if not _URI_CHARACTERS.fullmatch(uri):
        raise InvalidRedirectUri(field, f"{uri!r} holds a character that no URI may hold (RFC 3986 §2): percent-encode it")
    _require_safe_parts(_split(uri, field), uri, field)


def _split(uri: str, field: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - reading the port is what judges it
    except ValueError as error:
        raise InvalidRedirectUri(field, f"{uri!r} can't be read as a URI: {error}") from error
    return parts


def _require_safe_parts(parts: SplitResult, uri: str, field: str) -> None:
    if not parts.scheme or not parts.hostname:
        raise InvalidRedirectUri(field, f"{uri!r} is not absolute: write https://, host and path")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS):
        raise InvalidRedirectUri(field, f"{uri!r} must use https; plain http is taken for localhost only")
    if "#" in uri:
        raise InvalidRedirectUri(field, f"{uri!r} must have no fragment (RFC 6749 §3.1.2)")
    if "@" in parts.netloc:
        raise InvalidRedirectUri(field, f"{uri!r} must hold no user name or password")
    if "*" in parts.netloc:
        raise InvalidRedirectUri(field, f"{uri!r} must name one host: addresses are compared exactly, without wildcards")

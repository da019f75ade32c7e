"""Refuses request targets that two programs could read differently: the edge and a server behind it must mean the same path."""

from __future__ import annotations

import re
from unicodedata import normalize
from urllib.parse import unquote

from gateway.admission.refusal import Refusal

# A segment of unreserved characters, sub-delims without `;`, `:` and `@`, or percent-encoded bytes that are none of those
# and no control, percent, slash, backslash or semicolon (RFC 3986 §2.1 to §2.4, §3.3).
_SEGMENT = (
    r"(?:[A-Za-z0-9\-._~!$&'()*+,=:@]++|%(?:2[0-46-9A-Ca-c]|3[AC-Fac-f]|40|5[BDEbde]|60|7[B-Db-d]|[89A-Fa-f][0-9A-Fa-f]))++"
)
_PATH = re.compile(rf"/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?")
# An OCSP request by GET is base64 in the path, slashes included (RFC 6960 appendix A.1): no dot among its characters.
_OCSP = re.compile(r"/pki/ocsp/[a-z0-9-]++/(?:[A-Za-z0-9+/=]++|%2[BbFf]|%3[Dd])++")
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:/|$)")
_QUERY = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]{}|^`]++|%[0-9A-Fa-f]{2})*+")
_MOST_CHARACTERS = 8_000


def require_plain_target(path: str, query: bytes) -> None:
    """Raise 400 for anything but a plain origin-form target; what is refused is never guessed at."""
    if len(path) + len(query) > _MOST_CHARACTERS:
        raise Refusal("http.target", f"target of {len(path) + len(query)} characters, at most {_MOST_CHARACTERS}")
    if not _PATH.fullmatch(path) and not _OCSP.fullmatch(path):
        raise Refusal("http.target", "the path has an empty segment, or a character or percent-encoding that is not plain")
    if "/." in path and _DOT_SEGMENT.search(path):
        raise Refusal("http.target", "the path has a dot segment")
    if "%" in path:
        _require_unmistakable(path)
    if not _QUERY.fullmatch(query):
        raise Refusal("http.target", "the query has a character that must be percent-encoded, or a broken percent-encoding")


def _require_unmistakable(path: str) -> None:
    """Raise for encoded bytes that a lenient server could take for an ASCII character: overlong UTF-8, compatibility forms."""
    try:
        text = unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise Refusal("http.target", "the path's percent-encoding is no UTF-8") from error
    if any(not letter.isascii() and _has_ascii(normalize("NFKC", letter).lower()) for letter in text):
        raise Refusal("http.target", "the path has a character that some servers take for an ASCII one")


def _has_ascii(text: str) -> bool:
    return any(letter.isascii() for letter in text)

"""What TPPs say in `PSU-…` and `TPP-…` headers, each with its reader; a wrong value is named (BG IG 1.3.8 §5.3.1, §6.3.1.1).

Headers that the guidelines don't know are let be: HTTP has more of them than a bank.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

Reader = Callable[[str], object]

_MOST_SHOWN: Final = 40
_LONGEST_TEXT, _LONGEST_ID, _LONGEST_BRAND = 500, 140, 140
# Of the 2,000 characters that are kept of an address: a confirmation code may have to be added to it.
LONGEST_ADDRESS: Final = 1_900
_HIGHEST_PORT: Final = 65_535
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_GEO: Final = re.compile(r"GEO:(-?[0-9]{1,2}\.[0-9]{6});(-?[0-9]{1,3}\.[0-9]{6})", re.ASCII)
_NORTHMOST, _EASTMOST = 90, 180
_CONTENT: Final = ("SCA", "PROCESS", "LAST")
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _Wrong(ValueError):
    """A value that can't be read; the message goes on after the header's name and value."""


def _text(most: int) -> Reader:
    def read(text: str) -> str:
        if not text or len(text) > most:
            raise _Wrong(f"has {len(text)} characters: write 1 to {most}")
        if not text.isprintable():
            raise _Wrong("holds a control character, or one that is not seen: write plain text")
        return text

    return read


def _uuid(text: str) -> str:
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        parsed = None
    # uuid.UUID also takes braces, URNs and bare hex; the specification's format is the 36 characters only.
    if parsed is None or str(parsed) != text.lower():
        raise _Wrong("is no UUID: write one such as 99391c7e-ad88-49ec-a2ad-99ddcb1f7721")
    return text


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise _Wrong("is no IP address: write one such as 192.0.2.7 or 2001:db8::7") from None


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_HIGHEST_PORT)) else 0
    if not 1 <= port <= _HIGHEST_PORT:
        raise _Wrong(f"is no port: write a number from 1 to {_HIGHEST_PORT}")
    return port


def _method(text: str) -> str:
    if text not in _METHODS:
        raise _Wrong(f"is no method of the list: write {', '.join(_METHODS[:-1])} or {_METHODS[-1]}")
    return text


def _geo_location(text: str) -> str:
    match = _GEO.fullmatch(text)
    if match is None or abs(float(match[1])) > _NORTHMOST or abs(float(match[2])) > _EASTMOST:
        raise _Wrong("is no place: write latitude and longitude such as GEO:52.506931;13.144558")
    return text


def _boolean(text: str) -> bool:
    # Booleans of HTTP libraries come in any case.
    lowered = text.lower()
    if lowered not in {"true", "false"}:
        raise _Wrong("is no boolean: write true or false")
    return lowered == "true"


def _uri(text: str) -> str:
    """Read an address that the bank may send a PSU, or a notification, to."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _Wrong("is no address: write one such as https://tpp.example/back") from None
    is_plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= LONGEST_ADDRESS
    # Servers join a header that came twice by a comma: what follows it would be another address.
    is_one = re.search(r",\s*[a-z]+://", text, re.IGNORECASE) is None
    # Browsers take a backslash for a slash: `https://evil.example\\.tpp.example` leads them to evil.example.
    if not (host and is_plain and is_one and _HOST.fullmatch(host)):
        raise _Wrong("is no address: write one such as https://tpp.example/back")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL):
        raise _Wrong("is no https address, which carries what the PSU does")
    if parts.fragment or parts.username is not None or parts.password is not None:
        raise _Wrong("has a fragment or a user name: write the address without")
    return text


def _content(text: str) -> frozenset[str]:
    """Read `status=X1, …, Xn` (BG IG §5.3.1)."""
    constants = [constant.strip() for constant in text.removeprefix("status=").split(",")]
    is_known = text.startswith("status=") and all(constant in _CONTENT for constant in constants)
    if not is_known or len(set(constants)) != len(constants):
        raise _Wrong(f"is not understood: write status= and some of {', '.join(_CONTENT)}, each once")
    return frozenset(constants)


# The field of `TppCall` that each fills.
_HEADERS: Final[dict[str, tuple[str, Reader]]] = {
    "PSU-ID": ("psu_id", _text(_LONGEST_ID)),
    "PSU-ID-Type": ("psu_id_type", _text(_LONGEST_ID)),
    "PSU-Corporate-ID": ("psu_corporate_id", _text(_LONGEST_ID)),
    "PSU-Corporate-ID-Type": ("psu_corporate_id_type", _text(_LONGEST_ID)),
    "PSU-IP-Address": ("psu_ip_address", _address),
    "PSU-IP-Port": ("psu_ip_port", _port),
    "PSU-Accept": ("psu_accept", _text(_LONGEST_TEXT)),
    "PSU-Accept-Charset": ("psu_accept_charset", _text(_LONGEST_TEXT)),
    "PSU-Accept-Encoding": ("psu_accept_encoding", _text(_LONGEST_TEXT)),
    "PSU-Accept-Language": ("psu_accept_language", _text(_LONGEST_TEXT)),
    "PSU-User-Agent": ("psu_user_agent", _text(_LONGEST_TEXT)),
    "PSU-Http-Method": ("psu_http_method", _method),
    "PSU-Device-ID": ("psu_device_id", _uuid),
    "PSU-Geo-Location": ("psu_geo_location", _geo_location),
    "TPP-Redirect-Preferred": ("redirect_preferred", _boolean),
    "TPP-Decoupled-Preferred": ("decoupled_preferred", _boolean),
    "TPP-Explicit-Authorisation-Preferred": ("explicit_authorisation_preferred", _boolean),
    "TPP-Rejection-NoFunds-Preferred": ("rejection_no_funds_preferred", _boolean),
    "TPP-Redirect-URI": ("redirect_uri", _uri),
    "TPP-Nok-Redirect-URI": ("nok_redirect_uri", _uri),
    "TPP-Notification-URI": ("notification_uri", _uri),
    "TPP-Notification-Content-Preferred": ("notification_content", _content),
    "TPP-Brand-Logging-Information": ("brand_logging", _text(_LONGEST_BRAND)),
}
# WSGI forgets how a name was written.
_READERS: Final = {name.lower(): (name, field, reader) for name, (field, reader) in _HEADERS.items()}
_PREFIXES: Final = ("psu-", "tpp-")


def read_tpp_headers(headers: Headers) -> dict[str, Any]:
    """Return what is there by field name; raises `FormatError` that names every header that is wrong."""
    found: dict[str, Any] = {}
    faults: list[FormatError] = []
    for written, value in headers.items():
        lowered = written.lower()
        # All but a few headers of a request are others: asking by prefix first is what keeps this cheap.
        if not lowered.startswith(_PREFIXES) or lowered not in _READERS:
            continue
        name, field, reader = _READERS[lowered]
        wrong = "is given twice: send it once" if field in found else _read_into(found, field, reader, value.strip())
        if wrong:
            faults.append(FormatError(f"{name} {value[:_MOST_SHOWN]!r} {wrong}", path=name))
    if faults:
        raise FormatError.of(faults)
    return found


def _read_into(found: dict[str, Any], field: str, reader: Reader, value: str) -> str:
    """Read a value into its field; returns what is wrong with it."""
    try:
        found[field] = reader(value)
    except _Wrong as wrong:
        return str(wrong)
    return ""


def read_x_request_id(headers: Headers) -> str:
    """Return the X-Request-ID; raises `FormatError`."""
    # Servers join a header that came twice by a comma.
    text = headers.get("X-Request-ID", "")
    if not text or "," in text:
        times = text.count(",") + 1 if text else 0
        refusal = f"the header X-Request-ID is given {times} times: send it once, with a new UUID for each request"
        raise FormatError(refusal, path="X-Request-ID")
    try:
        return _uuid(text)
    except _Wrong as wrong:
        raise FormatError(f"X-Request-ID {text[:_MOST_SHOWN]!r} {wrong}", path="X-Request-ID") from None

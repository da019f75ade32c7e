"""An address as proofs name it: without query and fragment, written in one way (RFC 9449 §4.3, RFC 3986 §6.2.2, §6.2.3)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_MOST_CHARACTERS: Final = 8192
_PORTS: Final = {"https": 443, "http": 80}
_WRITTEN: Final = re.compile(r"[!-~]+")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def comparable(address: str) -> str:
    """Return scheme, host, port and path in the one way of writing them; raises `ValueError` where it is no such address."""
    if len(address) > _MOST_CHARACTERS or not _WRITTEN.fullmatch(address) or _STRAY_PERCENT.search(address):
        raise ValueError("no absolute http or https address")
    parts = urlsplit(address)
    scheme, host = parts.scheme, parts.hostname
    if scheme not in _PORTS or not host or "@" in parts.netloc:
        raise ValueError("no absolute http or https address")
    port = parts.port or _PORTS[scheme]
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{port}{_path(parts.path)}"


def _path(path: str) -> str:
    return _without_dots(_ESCAPE.sub(_as_it_should_be, path)) or "/"


def _as_it_should_be(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986 §5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == ".." and len(kept) > 1:
            kept.pop()
        elif segment not in {".", ".."}:
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)

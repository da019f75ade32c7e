"""Addresses of TPPs that the bank sends browsers to (BG IG 1.3.8 §4.10, §7.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def require_own_address(address: str | None, domains: Sequence[str], *, path: str) -> None:
    """Raise `FormatError` for an address on a host that the TPP's QWAC does not name (BG IG §4.10).

    The developer's own machine passes as well: a browser that is sent there stays with whoever sits in front of it.
    """
    if address is None:
        return
    host = urlsplit(address).hostname or ""
    if host in _LOCAL or any(_is_within(host, domain.lower()) for domain in domains):
        return
    known = ", ".join(domains) or "no domain at all"
    raise FormatError(f"{path} leads to {host[:80]!r}, and the TPP's QWAC is for {known}: write an address there", path=path)


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain.removeprefix('*.')}")


def with_query(address: str, **parameters: str) -> str:
    """Return the address with parameters added to those that it has."""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))

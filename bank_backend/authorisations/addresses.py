"""Addresses of TPPs that the bank sends browsers to (BG IG 1.3.8 §4.10, §7.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def require_own_address(
    address: str | None, domains: Sequence[str], *, path: str, registered: Callable[[], Sequence[str]] = tuple
) -> None:
    """Raise `FormatError` for an address that neither the TPP's QWAC nor its registration names (BG IG §4.10).

    The developer's own machine passes as well: a browser that is sent there stays with whoever sits in front of it.
    """
    if address is None:
        return
    host = urlsplit(address).hostname or ""
    if host in _LOCAL or any(_is_within(host, domain.lower()) for domain in domains):
        return
    if any(_is_same_page(address, uri) for uri in registered()):
        return
    known = ", ".join(domains) or "no domain at all"
    text = f"{path} leads to {host[:80]!r}, and the TPP's QWAC is for {known}: write an address there, or a registered one"
    raise FormatError(text, path=path)


def _is_same_page(address: str, registered: str) -> bool:
    """Compare all but the query, in which a TPP tells its flows apart."""
    return urlsplit(address)[:3] == urlsplit(registered)[:3]


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain.removeprefix('*.')}")


def with_query(address: str, **parameters: str) -> str:
    """Return the address with parameters added to those that it has."""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))

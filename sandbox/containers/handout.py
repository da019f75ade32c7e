"""Gives each server that runs apart a home of its own: its key pairs, and certificates to check others by; no other's key.

The authority's home stays where only the portal and `sandbox init` are. A renewal is handed out like the first issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chassis.callers import HEALTH_CALLER
from chassis.files import write_private, write_public
from chassis.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chassis.home import KeyPairPaths


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a server's home holds beside its own certificate: as whom it calls others, whose certificates it knows."""

    callers: tuple[str, ...] = (HEALTH_CALLER,)
    authorities: tuple[str, ...] = ("internal",)


BELONGINGS: Final = {
    # The public authorities: for a Python on which TLS itself has to judge clients (gateway/edge/tls.py).
    "edge": Belongings(callers=("gateway",), authorities=("internal", "root", "tpp-issuing")),
    "authorization": Belongings(callers=("gateway", HEALTH_CALLER)),
    "admin": Belongings(),
    "bank": Belongings(),
}


def hand_out(authority: Home, folder: Path) -> tuple[Path, ...]:
    """Bring every server's home under `folder` up to date; returns the files written, none if all is well. Raises `OSError`."""
    return tuple(path for server, has in BELONGINGS.items() for path in _written(authority, Home(folder / server), server, has))


def _written(authority: Home, home: Home, server: str, has: Belongings) -> Iterator[Path]:
    pairs = [(authority.server(server), home.server(server))]
    pairs += [(authority.internal(name), home.internal(name)) for name in has.callers]
    for source, target in pairs:
        yield from _pair_written(source, target)
    for name in has.authorities:
        yield from _copied(authority.ca(name).certificate, home.ca(name).certificate)
    yield from _copied(authority.trust_bundle, home.trust_bundle)


def _pair_written(source: KeyPairPaths, target: KeyPairPaths) -> Iterator[Path]:
    key = source.key.read_bytes()
    if _content(target.key) != key:
        write_private(target.key, key)
        yield target.key
    yield from _copied(source.certificate, target.certificate)


def _copied(source: Path, target: Path) -> Iterator[Path]:
    data = source.read_bytes()
    if _content(target) != data:
        write_public(target, data)
        yield target


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None

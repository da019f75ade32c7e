"""Gives each server that runs apart a home of its own: its key pairs, and certificates to check others by; no other's key.

The authority's home stays where only the portal and `sandbox init` are. A renewal is handed out like the first issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chassis.files import write_private, write_public
from chassis.home import Home
from chassis.sealing import KeyFile
from chassis.serving.callers import HEALTH_CALLER
from sandbox.ca.model import TppCertificateKind
from sandbox.tpps import client_key, demo_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chassis.home import KeyPairPaths


_CLIENT: Final = "client.json"


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a server's home holds beside its own certificate: as whom it calls, whose certificates it knows, which TPP it is.

    `opens_documents`: whether it has the key that seals the gateway's documents; `signs`: that of the signing keys.
    """

    callers: tuple[str, ...] = (HEALTH_CALLER,)
    authorities: tuple[str, ...] = ("internal",)
    tpps: tuple[str, ...] = ()
    opens_documents: bool = False
    signs: bool = False


BELONGINGS: Final = {
    # The public authorities: for a Python on which TLS itself has to judge clients (gateway/edge/tls/contexts.py).
    "edge": Belongings(callers=("gateway",), authorities=("internal", "root", "tpp-issuing"), opens_documents=True),
    "authorization": Belongings(callers=("gateway", HEALTH_CALLER), signs=True),
    # The operator calls from where the control API is: `docker compose exec admin gateway …`.
    "admin": Belongings(callers=("operator", HEALTH_CALLER), opens_documents=True),
    "bank": Belongings(),
    "demo": Belongings(tpps=(demo_app.NAME,)),
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
    if has.opens_documents:
        KeyFile(authority.document_key)()  # made, where this is the first time
        yield from _kept_private(authority.document_key, home.document_key)
    if has.signs:
        KeyFile(authority.signing_key)()
        yield from _kept_private(authority.signing_key, home.signing_key)
    for name in has.tpps:
        yield from _tpp_written(authority.tpp(name), home.tpp(name))


def _pair_written(source: KeyPairPaths, target: KeyPairPaths) -> Iterator[Path]:
    yield from _kept_private(source.key, target.key)
    yield from _copied(source.certificate, target.certificate)


def _tpp_written(source: Path, target: Path) -> Iterator[Path]:
    if not (source / _CLIENT).exists():
        return  # not registered yet
    for kind in TppCertificateKind:
        yield from _kept_private(source / f"{kind}.key", target / f"{kind}.key")
        yield from _copied(source / f"{kind}.crt", target / f"{kind}.crt")
    for name in client_key.NAMES:
        if (source / name).exists():
            yield from _kept_private(source / name, target / name)
    yield from _kept_private(source / _CLIENT, target / _CLIENT)


def _kept_private(source: Path, target: Path) -> Iterator[Path]:
    data = source.read_bytes()
    if _content(target) != data:
        write_private(target, data)
        yield target


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

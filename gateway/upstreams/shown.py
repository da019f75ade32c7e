"""The certificate that the gateway shows to a target: files that may be renewed, or a version of a stored one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.certificates.handing_over import held_in_memory

if TYPE_CHECKING:
    import ssl

    from chassis.home import KeyPairPaths
    from gateway.certificates.model import CertificateVersion


class Shown(Protocol):
    """A certificate with its key."""

    def stamp(self) -> tuple[int, ...]:
        """Return what changes with it; raises `OSError`."""

    def show_in(self, context: ssl.SSLContext) -> None:
        """Show it in handshakes of this context; raises `OSError`, `ssl.SSLError`."""


@dataclass(frozen=True, slots=True)
class ShownFiles:
    """Files in the gateway's home, renewed by whoever put them there."""

    pair: KeyPairPaths

    def stamp(self) -> tuple[int, ...]:
        """Return when they were written."""
        return tuple(path.stat().st_mtime_ns for path in (self.pair.certificate, self.pair.key))

    def show_in(self, context: ssl.SSLContext) -> None:
        """Read them."""
        context.load_cert_chain(self.pair.certificate, self.pair.key)


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version of a document of the kind `certificates`; another one is another upstream's connections."""

    version: CertificateVersion

    def stamp(self) -> tuple[int, ...]:
        """Return nothing: a version never changes."""
        return ()

    def show_in(self, context: ssl.SSLContext) -> None:
        """Hand it over."""
        with held_in_memory(self.version) as path:
            context.load_cert_chain(path)

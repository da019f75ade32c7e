"""The gateway's side of TLS with upstreams: whom it believes, what it shows, and how both follow renewed files."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING, Final, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.logs import get_logger
from chassis.serving.listener import TLS12_CIPHERS
from gateway.upstreams.faults import UpstreamFault
from gateway.upstreams.model import TlsVersion
from gateway.upstreams.tls_object import DirectSslObject

if TYPE_CHECKING:
    from pathlib import Path

    from chassis.addresses import Address
    from chassis.home import Home
    from gateway.upstreams.model import Proof
    from gateway.upstreams.shown import Shown

_VERSIONS: Final = {TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2, TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3}


class TargetTls(Protocol):
    """How connections to one target are secured."""

    @property
    def server_name(self) -> str:
        """The name that the target's certificate must have."""

    def context(self) -> ssl.SSLContext:
        """Return what to shake hands with; raises `UpstreamFault` where there is nothing that could be used."""

    def require_pinned(self, certificate: bytes | None) -> None:
        """Raise `UpstreamFault` unless the key of this leaf (DER) is one that is expected."""

    def reload_if_rotated(self) -> bool:
        """Take up renewed files; returns whether connections made before should go."""


class CallerTls:
    """Internal mutual TLS: the gateway's own certificate, and the internal CA. Shared by all internal services."""

    def __init__(self, home: Home) -> None:
        """Read the files; raises `OSError`, `ssl.SSLError`."""
        self._pair = home.internal("gateway")
        self._authority = home.ca("internal").certificate
        self._stamp = self._files_stamp()
        self.context = self._read()

    def reload_if_rotated(self) -> bool:
        """Take up renewed files, once they fit together; returns whether they were taken."""
        try:
            stamp = self._files_stamp()
            if stamp == self._stamp:
                return False
            self.context = self._read()
        except (OSError, ssl.SSLError) as error:
            get_logger().warning("upstream.rotation_waits", error=str(error))
            return False
        self._stamp = stamp
        return True

    def _files_stamp(self) -> tuple[int, ...]:
        return _stamp(self._pair.certificate, self._pair.key, self._authority)

    def _read(self) -> ssl.SSLContext:
        context = _client_context()
        context.load_verify_locations(cafile=self._authority)
        context.load_cert_chain(self._pair.certificate, self._pair.key)
        return context


class InternalTls:
    """An internal service: its certificate must say `<service>.internal`."""

    def __init__(self, service: str, caller: CallerTls) -> None:
        self.server_name = f"{service}.internal"
        self._caller = caller
        self._seen = caller.context

    def context(self) -> ssl.SSLContext:
        """Return the one of all internal services."""
        return self._caller.context

    def require_pinned(self, certificate: bytes | None) -> None:
        """Ask for no more: the internal CA issues to internal services alone."""

    def reload_if_rotated(self) -> bool:
        """Say whether the caller's certificate is another one than last time; whoever owns it reads the files."""
        seen, self._seen = self._seen, self._caller.context
        return seen is not self._seen


class ForeignTls:
    """A target that proves itself by what its document says, and is shown a certificate of its own, if any.

    Files that can't be read are this upstream's fault alone: its requests fail, with the reason, until they can.
    """

    def __init__(self, target: Address, proof: Proof, shown: Shown | None) -> None:
        self.server_name = proof.server_name or target.host
        self._proof = proof
        self._shown = shown
        self._stamp: tuple[int, ...] = ()
        self._context: ssl.SSLContext | None = None
        self._fault = ""
        self.reload_if_rotated()

    def context(self) -> ssl.SSLContext:
        """Return what to shake hands with; raises `UpstreamFault`."""
        if self._context is None:
            raise UpstreamFault("upstream.tls_own_certificate", self._fault)
        return self._context

    def require_pinned(self, certificate: bytes | None) -> None:
        """Raise `UpstreamFault` unless the leaf has one of the pinned keys, where there are any."""
        if not self._proof.pins:
            return
        pin = spki_pin(certificate)
        if pin not in self._proof.pins:
            raise UpstreamFault(
                "upstream.pin", f"the key of {self.server_name} (SPKI SHA-256 {pin.hex()}) is none of those pinned"
            )

    def reload_if_rotated(self) -> bool:
        """Read the certificate that is shown, where its files have changed or could not be read."""
        try:
            stamp = self._shown.stamp() if self._shown else ()
            if self._context is not None and stamp == self._stamp:
                return False
            self._context, self._stamp = self._read(), stamp
        except (OSError, ssl.SSLError) as error:
            self._note(f"the certificate to show to {self.server_name} can't be used: {error}")
            return False
        return True

    def _note(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            get_logger().warning("upstream.certificate_waits", error=fault)

    def _read(self) -> ssl.SSLContext:
        proof = self._proof
        context = _client_context()
        context.minimum_version, context.maximum_version = _VERSIONS[proof.lowest], _VERSIONS[proof.highest]
        # A CA that the document names vouches by itself, whether or not another one stands above it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if proof.authorities:
            context.load_verify_locations(cadata="\n".join(proof.authorities))
        if proof.system_authorities:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        if self._shown is not None:
            self._shown.show_in(context)
        return context


def spki_pin(certificate: bytes | None) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo of a certificate in DER (RFC 7469 §2.4), nothing of one without."""
    try:
        key = x509.load_der_x509_certificate(certificate or b"").public_key()
    except (ValueError, UnsupportedAlgorithm):
        return b""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def _client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies the chain, and the name that is given
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS12_CIPHERS)
    context.sslobject_class = DirectSslObject
    return context


def _stamp(*paths: Path) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in paths)

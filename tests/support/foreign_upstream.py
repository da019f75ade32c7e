"""A server that is none of ours, for tests of upstreams: its own CA, its own key, and whether it asks who we are."""

from __future__ import annotations

import base64
import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.scripted_upstream import ScriptedUpstream

if TYPE_CHECKING:
    from pathlib import Path

    from chassis.home import Home
    from tests.support.pki import Authority, Issued


@dataclass
class Foreign:
    """A running server with the certificate that it shows."""

    server: ScriptedUpstream
    certificate: Issued
    authority: Authority

    @property
    def target(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.server.port}

    @property
    def pin(self) -> str:
        return pin_of(self.certificate)

    def body(self, **more: Any) -> dict[str, Any]:
        """Say in a document that this is the upstream, `more` beside it; `tls` is merged."""
        tls = {"authorities": [self.authority.pem], "server_name": "pay.example"} | more.pop("tls", {})
        return {"targets": [self.target], "tls": tls} | more


def foreign(
    home: Home,
    folder: Path,
    authority: Authority,
    *names: str,
    asks: str | None = None,
    version: ssl.TLSVersion | None = None,
) -> Foreign:
    """Start a server for these names, `pay.example` where there are none; it lets in whom `asks` (PEM) vouches for."""
    certificate = authority.server(*(names or ("pay.example",)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate.write(folder, hashlib.sha256(certificate.der).hexdigest()))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if asks is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=asks)
    return Foreign(ScriptedUpstream(home, "foreign", context=context), certificate, authority)


def pin_of(certificate: Issued) -> str:
    key = certificate.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode("ascii")

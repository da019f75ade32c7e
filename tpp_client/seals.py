"""A TPP's QSealC and what it signs: Digest, Signature and TPP-Signature-Certificate (BG IG 1.3.8 §4.2, §12)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from psd2.certificates import MalformedCertificate, Psd2Certificate, parse_certificate
from psd2.digests import digest_header
from psd2.http_signatures import PrivateKey, SignatureAlgorithm, SignatureHeader, sign, signing_string
from psd2.key_ids import key_id_of
from tpp_client.errors import IdentityUnusable

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.clock import Clock
    from tpp_client.identity import Credential
    from tpp_client.wire import HttpRequest, HttpResponse, Transport

_SIGNED_PATHS: Final = ("/v1/", "/v2/")
# The guidelines' list; Date is signed too, as the YAML's example has it: a signature then has an age.
_COVERED: Final = ("digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A QSealC with its key."""

    certificate: Psd2Certificate
    key: PrivateKey = field(repr=False)

    def signed(self, request: HttpRequest, *, now: datetime) -> HttpRequest:
        """Return the request with its signature; it needs an X-Request-ID, and its body must be sent as it is."""
        added = {"Digest": digest_header(request.body or b""), "Date": format_datetime(now, usegmt=True)}
        headers = {**request.headers, **added}
        values = {name.lower(): [value] for name, value in headers.items()}
        fields = tuple(name for name in _COVERED if name in values or name == "x-request-id")
        algorithm = SignatureAlgorithm.of(self.key)
        signature = SignatureHeader(
            key_id=key_id_of(self.certificate),
            algorithm=algorithm,
            fields=fields,
            signature=sign(self.key, algorithm, signing_string(fields, values)),
        )
        headers |= {"Signature": str(signature), "TPP-Signature-Certificate": encoded_certificate(self.certificate)}
        return replace(request, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningTransport:
    """Signs every Berlin Group request on its way to another transport; other requests go as they are."""

    transport: Transport
    seal: Seal
    clock: Clock

    def send(self, request: HttpRequest) -> HttpResponse:
        """Sign and send it."""
        if urlsplit(request.url).path.startswith(_SIGNED_PATHS):
            request = self.seal.signed(request, now=self.clock.now())
        return self.transport.send(request)


def encoded_certificate(certificate: Psd2Certificate) -> str:
    """Return the value of TPP-Signature-Certificate."""
    return base64.b64encode(certificate.der).decode("ascii")


def load_seal(credential: Credential) -> Seal:
    """Read a QSealC and its key; raises `IdentityUnusable` and says what would be right."""
    if not (credential.certificate.is_file() and credential.key.is_file()):
        name = credential.certificate.parent.name
        msg = f"{credential.certificate} or its key is missing: `sandbox cert issue {name} --kind qseal` makes a QSealC"
        raise IdentityUnusable(msg)
    try:
        certificate = parse_certificate(credential.certificate.read_bytes())
        key = load_pem_private_key(credential.key.read_bytes(), password=None)
    except (MalformedCertificate, ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{credential.certificate} and {credential.key} can't be used to sign: {error}"
        raise IdentityUnusable(msg) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        msg = f"{credential.key} holds neither an RSA nor an ECDSA key, and requests are signed with no others"
        raise IdentityUnusable(msg)
    return Seal(certificate=certificate, key=key)

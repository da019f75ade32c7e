"""Signs requests for tests, right, or wrong in exactly one way."""

from __future__ import annotations

import base64
from email.utils import formatdate
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from psd2.certificates import parse_certificate
from psd2.digests import digest_header
from psd2.http_signatures import REQUEST_TARGET, SignatureAlgorithm, SignatureHeader, sign, signing_string
from psd2.key_ids import key_id_of

if TYPE_CHECKING:
    from tests.support.pki import Issued

REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


def signed_headers(
    seal: Issued,
    body: bytes = b"",
    *,
    covers: tuple[str, ...] = ("digest", "x-request-id", "date"),
    key_id: str | None = None,
    algorithm: SignatureAlgorithm | None = None,
    signed_with: Issued | None = None,
    at: float | None = None,
    target: str = "",
    **headers: str,
) -> dict[str, str]:
    """Return the headers of a signed request; `at` is its Date (epoch seconds), `headers` have underscores for hyphens."""
    certificate, key = parse_certificate(seal.der), (signed_with or seal).key
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    usual = {"x-request-id": REQUEST_ID, "digest": digest_header(body), "date": formatdate(at, usegmt=True)}
    sent = usual | {name.replace("_", "-").lower(): value for name, value in headers.items()}
    chosen = algorithm or SignatureAlgorithm.of(key)
    message = signing_string(covers, {name: [value] for name, value in sent.items()} | {REQUEST_TARGET: [target]})
    header = SignatureHeader(
        key_id=key_id or key_id_of(certificate), algorithm=chosen, fields=covers, signature=sign(key, chosen, message)
    )
    return sent | {
        "signature": str(header),
        "tpp-signature-certificate": base64.b64encode(seal.der).decode("ascii"),
    }

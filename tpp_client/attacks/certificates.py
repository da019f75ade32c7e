"""Attacks with certificates: none, forged, faulty, or of the wrong kind (docs/refusals.md, RFC 8705 §3)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import Encoding

from psd2.client_cert_header import encode_client_cert
from tpp_client.attacks.model import Attack, expect

if TYPE_CHECKING:
    from psd2.certificates import Psd2Certificate
    from tpp_client.attacks.field import AttackField
    from tpp_client.wire import HttpResponse

# With a bound token in hand the token is the worse offence; either way nothing opens (RFC 8705 §3).
_MISSING = expect(401, "CERTIFICATE_MISSING", "TOKEN_INVALID")
_INVALID = expect(401, "CERTIFICATE_INVALID")


def _without(field: AttackField) -> HttpResponse:
    return field.read_accounts(None)


def _spoofed(field: AttackField) -> HttpResponse:
    return field.read_accounts(None, spoofed_headers(field.victim.certificate))


def _self_signed(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.self_signed)


def _foreign(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.foreign)


def _seal(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.victim.qseal)


def _expired(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.faulty("expired"))


def _early(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.faulty("not-yet-valid"))


def _revoked(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.faulty("revoked"))


def spoofed_headers(certificate: Psd2Certificate) -> dict[str, str]:
    """Return every header in which some gateway has ever believed a certificate or an identity."""
    pem = certificate.x509.public_bytes(Encoding.PEM).decode()
    number = certificate.authorisation_number or ""
    return {
        "Client-Cert": encode_client_cert(certificate.der),  # RFC 9440
        "Client-Cert-Chain": encode_client_cert(certificate.der),
        "X-Forwarded-Client-Cert": f'Hash={certificate.sha256};Cert="{quote(pem)}"',  # Envoy
        "X-SSL-Client-Cert": quote(pem),  # nginx
        "X-SSL-Cert": base64.b64encode(certificate.der).decode(),  # HAProxy
        "X-SSL-Client-Verify": "SUCCESS",
        "X-Amzn-Mtls-Clientcert": quote(pem, safe="+=/"),  # AWS ALB
        "X-Client-Certificate": quote(pem),
        "TPP-Certificate": base64.b64encode(certificate.der).decode(),
        "X-Sandbox-Tpp": number,
        "X-Sandbox-Roles": "PSP_AI PSP_PI PSP_IC",
        "X-Sandbox-Listener": "edge",
    }


ATTACKS = (
    Attack(
        name="no-certificate",
        title="present a stolen token without any certificate",
        clause="RFC 8705 §3",
        expected=_MISSING,
        strike=_without,
    ),
    Attack(
        name="spoofed-headers",
        title="claim the victim's certificate in headers such as Client-Cert",
        clause="RFC 9440 §4",
        expected=_MISSING,
        strike=_spoofed,
    ),
    Attack(
        name="self-signed",
        title="present a copy of the victim's QWAC that signs itself",
        clause="TS 119 495 §5",
        expected=_INVALID,
        strike=_self_signed,
    ),
    Attack(
        name="foreign-ca",
        title="present a copy of the victim's QWAC from a CA that borrowed the real one's name",
        clause="RFC 5280 §6",
        expected=_INVALID,
        strike=_foreign,
    ),
    Attack(
        name="qseal-as-qwac",
        title="present the victim's QSealC in the TLS handshake",
        clause="TS 119 495 §4.3",
        expected=_INVALID,
        strike=_seal,
    ),
    Attack(
        name="expired",
        title="present a QWAC that has expired",
        clause="RFC 5280 §4.1.2.5",
        expected=expect(401, "CERTIFICATE_EXPIRED"),
        strike=_expired,
    ),
    Attack(
        name="not-yet-valid",
        title="present a QWAC whose validity has not begun",
        clause="RFC 5280 §4.1.2.5",
        expected=_INVALID,
        strike=_early,
    ),
    Attack(
        name="revoked",
        title="present a QWAC that has been revoked",
        clause="RFC 5280 §5",
        expected=expect(401, "CERTIFICATE_REVOKED"),
        strike=_revoked,
    ),
)

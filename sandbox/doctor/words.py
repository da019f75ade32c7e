"""Plain words for what stands in certificates as bits and object identifiers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from psd2.qualified import QcType
from psd2.roles import PspRole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509

    from sandbox.ca.faults import Refusal

_LONGEST_SHOWN: Final = 500
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

KEY_USAGES: Final = {
    "digitalSignature": "signs TLS handshakes and messages",
    "contentCommitment": "seals what it signs, for others to rely on (nonRepudiation)",
    "keyEncipherment": "receives encrypted keys",
    "dataEncipherment": "receives encrypted data",
    "keyAgreement": "agrees on keys",
    "keyCertSign": "issues certificates",
    "cRLSign": "signs revocation lists",
}
PURPOSES: Final = {
    ExtendedKeyUsageOID.CLIENT_AUTH: ("clientAuth", "may be presented by a TLS client, which a TPP is"),
    ExtendedKeyUsageOID.SERVER_AUTH: ("serverAuth", "may be presented by a TLS server"),
    ExtendedKeyUsageOID.OCSP_SIGNING: ("OCSPSigning", "signs answers on revocation"),
    ExtendedKeyUsageOID.EMAIL_PROTECTION: ("emailProtection", "signs and encrypts e-mail"),
    ExtendedKeyUsageOID.CODE_SIGNING: ("codeSigning", "signs programs"),
    ExtendedKeyUsageOID.TIME_STAMPING: ("timeStamping", "signs time stamps"),
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: ("anyExtendedKeyUsage", "any purpose, which here counts for none"),
}
SIGNATURES: Final = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256.dotted_string: "ECDSA with SHA-256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384.dotted_string: "ECDSA with SHA-384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512.dotted_string: "ECDSA with SHA-512",
    SignatureAlgorithmOID.RSA_WITH_SHA256.dotted_string: "RSA with SHA-256",
    SignatureAlgorithmOID.RSA_WITH_SHA384.dotted_string: "RSA with SHA-384",
    SignatureAlgorithmOID.RSA_WITH_SHA512.dotted_string: "RSA with SHA-512",
    SignatureAlgorithmOID.RSASSA_PSS.dotted_string: "RSA-PSS",
}
QC_TYPES: Final = {
    QcType.WEB: ("web", "website authentication: a QWAC, presented in TLS"),
    QcType.ESEAL: ("eseal", "electronic seals: a QSealC, which signs messages"),
    QcType.ESIGN: ("esign", "a person's electronic signatures, which are of no use to a TPP"),
}
WEB_POLICIES: Final = {
    "0.4.0.194112.1.4": "QEVCP-w, qualified website authentication by the rules of extended validation",
    "0.4.0.194112.1.5": "QNCP-w, qualified website authentication",
    "0.4.0.194112.1.6": "QNCP-w-gen, qualified website authentication beyond the public web",
    "0.4.0.19495.3.1": "QCP-w-psd2, qualified website authentication under PSD2",
}
SEAL_POLICIES: Final = {
    "0.4.0.194112.1.1": "QCP-l, qualified seals of legal persons",
    "0.4.0.194112.1.3": "QCP-l-qscd, qualified seals of legal persons with the key in a secure device",
}
POLICIES: Final = {**WEB_POLICIES, **SEAL_POLICIES, "2.5.29.32.0": "anyPolicy, for authorities"}
SERVICES: Final = {PspRole.AI: "account information", PspRole.PI: "payments", PspRole.IC: "funds confirmations"}
ROLES: Final = {
    PspRole.AS: "account servicing (ASPSP): a bank; opens nothing to a TPP",
    PspRole.PI: "payment initiation (PISP)",
    PspRole.AI: "account information (AISP)",
    PspRole.IC: "issuing of card-based payment instruments (CBPII): funds confirmations",
}


def shown(text: str) -> str:
    """Make a stranger's text fit for a terminal: on one line, without control or bidirectional characters, not endless."""
    printable = "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
    return printable if len(printable) <= _LONGEST_SHOWN else f"{printable[:_LONGEST_SHOWN]}… ({len(printable)} characters)"


def name_text(name: x509.Name) -> str:
    """Write a distinguished name (RFC 4514), organizationIdentifier by its name."""
    return shown(name.rfc4514_string({NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier"}))


def time_text(time: datetime) -> str:
    """Write a time to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def span_text(span: timedelta) -> str:
    """Write a span of time in its largest unit: `364 days`, `1 hour`."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if span >= unit:
            count = span // unit
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"


def listed(words: Iterable[str]) -> str:
    """Join words as people do: `a`, `a and b`, `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def refusal_text(refusal: Refusal) -> str:
    """Write a refusal on one line."""
    return f"{refusal.status} {refusal.code} ({refusal.reason})"

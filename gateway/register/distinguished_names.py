"""Distinguished names in text, and when two are the same (RFC 4514; distinguishedNameMatch of RFC 4517 §4.2.15)."""

from __future__ import annotations

import unicodedata
from typing import Final

from cryptography.x509 import Name
from cryptography.x509.oid import NameOID

# RFC 4514 §3, and what else stands in a certificate of TS 119 495; others are written as dotted numbers.
_NAMES: Final = {
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
_KNOWN: Final = _NAMES | {name.lower(): oid for name, oid in _NAMES.items()}
_Canonical = tuple[frozenset[tuple[str, str]], ...]


def parse_name(text: str) -> Name:
    """Return the name that an RFC 4514 text stands for; raises `ValueError`."""
    name = Name.from_rfc4514_string(text, _KNOWN)
    if not name.rdns:
        raise ValueError("is empty")
    return name


def is_same_name(one: Name, other: Name) -> bool:
    """Answer whether both name the same: RDNs in order, letter case and runs of spaces aside."""
    return _canonical(one) == _canonical(other)


def _canonical(name: Name) -> _Canonical:
    return tuple(
        frozenset((attribute.oid.dotted_string, _prepared(str(attribute.value))) for attribute in rdn) for rdn in name.rdns
    )


def _prepared(value: str) -> str:
    """Prepare a value as RFC 4518 does for caseIgnoreMatch."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())

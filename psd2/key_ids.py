"""`keyId` of a request's signature: serial number and issuer of the certificate (BG IG 1.3.8 §12.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from psd2.certificates import Psd2Certificate

_KEY_ID: Final = re.compile(r"SN=(?P<serial>[0-9A-Fa-f]{1,64}),\s*CA=(?P<issuer>.{1,2000})", re.DOTALL)
# Names that programs write for attributes which RFC 4514 knows by their OID only.
_NAMES: Final = {
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "E": NameOID.EMAIL_ADDRESS,
}


class WrongKeyId(ValueError):
    """A `keyId` that can't be read, or names another certificate."""


def key_id_of(certificate: Psd2Certificate) -> str:
    """Return the `keyId`: serial number in hexadecimal, issuer as RFC 4514 writes it, spaces and quotes percent-encoded."""
    issuer = quote(certificate.issuer, safe="=,+.-_~")
    return f"SN={certificate.serial:x},CA={issuer}"


def require_key_id(key_id: str, certificate: Psd2Certificate) -> None:
    """Raise `WrongKeyId` unless it names the certificate; the issuer's parts may come in either order."""
    match = _KEY_ID.fullmatch(key_id)
    if match is None:
        raise WrongKeyId("it is not written like SN=9FA1,CA=CN=Example%20CA,O=Example,C=DE")
    if int(match["serial"], 16) != certificate.serial:
        raise WrongKeyId(f"it names serial number {match['serial'].lower()}, the certificate's is {certificate.serial:x}")
    claimed, issuer = _parts(unquote(match["issuer"])), [set(rdn) for rdn in certificate.x509.issuer.rdns]
    if claimed not in (issuer, issuer[::-1]):
        raise WrongKeyId(f"it names another issuer than the certificate's, which is {certificate.issuer}")


def _parts(text: str) -> list[set[x509.NameAttribute[str | bytes]]]:
    # RFC 4514 has no blanks between the parts; people write them.
    compact = re.sub(r",\s+(?=[A-Za-z0-9.]+=)", ",", text.strip())
    try:
        name = x509.Name.from_rfc4514_string(compact, _NAMES)
    except ValueError as error:
        raise WrongKeyId(f"its CA is no distinguished name: {error}") from error
    return [set(rdn) for rdn in name.rdns]

"""Certificate signing requests: every fault named, and nothing believed but the key (RFC 2986, TS 119 312 §6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from sandbox.ca.csr_form import request_der
from sandbox.ca.errors import CsrRefused
from sandbox.ca.keys import KeyRefused, require_sound_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.ca.keys import KeyRules, PublicKey

_STRONG_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_LONGEST_QUOTE: Final = 100
_MOST_NOTES: Final = 6
_ATTRIBUTES: Final = {
    NameOID.COUNTRY_NAME: "country (C)",
    NameOID.ORGANIZATION_NAME: "organisation (O)",
    NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier",
    NameOID.COMMON_NAME: "common name (CN)",
}
_IGNORED: Final = "a certificate says what the register says"


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """The key to certify; `subject` is what the request says of its sender, None where it can't be read."""

    public_key: PublicKey
    subject: x509.Name | None = field(default=None, repr=False)
    has_extensions: bool = False

    def notes(self, certified: x509.Name) -> tuple[str, ...]:
        """Say where the certificate, whose subject is `certified`, differs from what the request asks for."""
        notes = list(self._notes(certified))
        more = len(notes) - _MOST_NOTES
        return (*notes[:_MOST_NOTES], *([f"and {more} more"] if more > 0 else []))

    def _notes(self, certified: x509.Name) -> Iterator[str]:
        if self.subject is None:
            yield f"the names in the signing request can't be read and are ignored: {_IGNORED}"
        else:
            yield from _differences(self.subject, certified)
        if self.has_extensions:
            yield f"extensions of the signing request are ignored: {_IGNORED}"


def read_csr(data: bytes, rules: KeyRules) -> SigningRequest:
    """Read a PEM or DER request. Raises CsrRefused with a code from `csr.too_large` to `csr.weak_key`."""
    if not data.strip():
        raise CsrRefused("csr.empty", "the signing request is empty")
    if len(data) > rules.max_bytes:
        raise CsrRefused("csr.too_large", f"the signing request has {len(data)} bytes, at most {rules.max_bytes} are read")
    request = _load(request_der(data))
    key = _sound_key(request, rules)
    _require_signature(request)
    subject, has_extensions = _wishes(request)
    return SigningRequest(public_key=key, subject=subject, has_extensions=has_extensions)


def _load(der: bytes) -> x509.CertificateSigningRequest:
    try:
        return x509.load_der_x509_csr(der)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CsrRefused(
            "csr.unparsable",
            f"neither PEM nor DER of a PKCS #10 request: {str(error)[:_LONGEST_QUOTE]}. Make one with `openssl req -new`",
        ) from error


def _sound_key(request: x509.CertificateSigningRequest, rules: KeyRules) -> PublicKey:
    try:
        return require_sound_key(request.public_key(), rules)
    except KeyRefused as error:
        raise CsrRefused(f"csr.{error.fault}", str(error)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CsrRefused("csr.key_kind", f"the key cannot be read ({error}): use EC on P-256, or RSA of 3072 bits") from error


def _require_signature(request: x509.CertificateSigningRequest) -> None:
    """Have the sender prove that it holds the key (RFC 2986 §3), with a hash that still proves something."""
    try:
        algorithm = request.signature_hash_algorithm
        if not isinstance(algorithm, _STRONG_HASHES):
            name = f" ({algorithm.name.upper()})" if algorithm else ""
            raise CsrRefused("csr.weak_hash", f"the request is signed with a weak hash{name}: use SHA-256 or stronger")
        is_proven = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CsrRefused("csr.bad_signature", f"the request's signature cannot be checked: {error}") from error
    if not is_proven:
        raise CsrRefused("csr.bad_signature", "the request's signature is not the key's: it proves nothing, make a new one")


def _wishes(request: x509.CertificateSigningRequest) -> tuple[x509.Name | None, bool]:
    try:
        return request.subject, bool(request.extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None, False


def _differences(asked: x509.Name, certified: x509.Name) -> Iterator[str]:
    for attribute in asked:
        name = _ATTRIBUTES.get(attribute.oid)
        right = [str(each.value) for each in certified.get_attributes_for_oid(attribute.oid)]
        wanted = _quoted(str(attribute.value))
        if name is None or not right:
            yield f"subject: {attribute.rfc4514_attribute_name}={wanted} is left out: {_IGNORED}"
        elif str(attribute.value) not in right:
            yield f"subject: {name} is {_quoted(right[0])} in the certificate, not {wanted}: {_IGNORED}"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…")

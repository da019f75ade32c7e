"""Certificate signing requests: every fault named, and nothing believed but the key (RFC 2986, TS 119 312 §6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from sandbox.ca.errors import CsrRefused
from sandbox.ca.keys import KeyRefused, require_sound_key

if TYPE_CHECKING:
    from sandbox.ca.keys import KeyRules, PublicKey

_PEM_LABELS: Final = (b"-----BEGIN CERTIFICATE REQUEST-----", b"-----BEGIN NEW CERTIFICATE REQUEST-----")
_PRIVATE_KEY: Final = b"PRIVATE KEY-----"
_STRONG_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_IGNORED: Final = "ignored: a certificate says what the register says"


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """The key to certify, and what the sender should know about the rest of the request."""

    public_key: PublicKey
    notes: tuple[str, ...]


def read_csr(data: bytes, rules: KeyRules) -> SigningRequest:
    """Read a PEM or DER request. Raises CsrRefused with a code from `csr.too_large` to `csr.weak_key`."""
    if not data.strip():
        raise CsrRefused("csr.empty", "the signing request is empty")
    if len(data) > rules.max_bytes:
        raise CsrRefused("csr.too_large", f"the signing request has {len(data)} bytes, at most {rules.max_bytes} are read")
    if data.lstrip().startswith(b"-----BEGIN") and _PRIVATE_KEY in data:
        raise CsrRefused("csr.private_key", "this holds a private key: keep it, make a new one, and send the request only")
    request = _load(data)
    key = _sound_key(request, rules)
    _require_signature(request)
    return SigningRequest(public_key=key, notes=_notes(request))


def _load(data: bytes) -> x509.CertificateSigningRequest:
    # A DER request may hold the PEM mark in one of its names, so its own first two octets decide.
    is_der = data[:1] == b"\x30" and data[1:2] >= b"\x80"
    is_pem = not is_der and b"-----BEGIN" in data
    if is_pem and not any(label in data for label in _PEM_LABELS):
        raise CsrRefused("csr.unparsable", "this PEM is no CERTIFICATE REQUEST: make one with openssl req -new")
    try:
        return x509.load_pem_x509_csr(data) if is_pem else x509.load_der_x509_csr(data)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise CsrRefused("csr.unparsable", f"neither PEM nor DER of a PKCS #10 request: {error}") from error


def _sound_key(request: x509.CertificateSigningRequest, rules: KeyRules) -> PublicKey:
    try:
        return require_sound_key(request.public_key(), rules)
    except KeyRefused as error:
        raise CsrRefused(f"csr.{error.fault}", str(error)) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CsrRefused("csr.key_kind", f"the key cannot be read: {error}") from error


def _require_signature(request: x509.CertificateSigningRequest) -> None:
    """Have the sender prove that it holds the key (RFC 2986 §3), with a hash that still proves something."""
    try:
        if not isinstance(request.signature_hash_algorithm, _STRONG_HASHES):
            raise CsrRefused("csr.weak_hash", "the request is signed with a weak hash: use SHA-256 or stronger")
        is_proven = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CsrRefused("csr.bad_signature", f"the request's signature cannot be checked: {error}") from error
    if not is_proven:
        raise CsrRefused("csr.bad_signature", "the request's signature is not the key's: it proves nothing, make a new one")


def _notes(request: x509.CertificateSigningRequest) -> tuple[str, ...]:
    notes = []
    try:
        subject = request.subject.rfc4514_string()
        if subject:
            notes.append(f"subject of the signing request {_IGNORED} ({subject[:200]})")
        if request.extensions:
            notes.append(f"extensions of the signing request {_IGNORED}")
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        notes.append(f"names and extensions of the signing request {_IGNORED}")
    return tuple(notes)

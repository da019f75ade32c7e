"""Signatures over header fields as draft-cavage-http-signatures-12 has them, within what BG IG 1.3.8 §12 allows.

Pure: `SignatureHeader` reads and writes the `Signature` header, `signing_string` is what is signed, `sign` and `verify` do it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REQUEST_TARGET: Final = "(request-target)"
_MOST_CHARACTERS: Final = 8_000
_MOST_HEADERS: Final = 30
# One parameter: a quoted text, or a number (created, expires).
_PARAMETER: Final = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"\\]*)"|([0-9.]+))\s*(?:,|$)')
_FIELD_NAME: Final = re.compile(r"\(request-target\)|[!#$%&'*+.^_`|~0-9a-z-]+")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class MalformedSignature(ValueError):
    """A `Signature` header that can't be read; the message says what is wrong with it."""


class KeyMismatch(ValueError):
    """An algorithm that is not the key's."""


class WrongSignature(ValueError):
    """A signature that was not made of this message with this key."""


class MissingField(ValueError):
    """A field that is to be signed and is not in the message; the message of the error is its name."""


class SignatureAlgorithm(StrEnum):
    """Those that name SHA-256 or SHA-512, as the guidelines ask (BG IG §12.2); RSA is PKCS #1 v1.5, ECDSA in DER."""

    RSA_SHA256 = "rsa-sha256"
    RSA_SHA512 = "rsa-sha512"
    ECDSA_SHA256 = "ecdsa-sha256"
    ECDSA_SHA512 = "ecdsa-sha512"

    @property
    def is_rsa(self) -> bool:
        """Whether it goes with an RSA key."""
        return self in {SignatureAlgorithm.RSA_SHA256, SignatureAlgorithm.RSA_SHA512}

    @property
    def hash(self) -> SHA256 | SHA512:
        """Its hash function."""
        return SHA256() if self in {SignatureAlgorithm.RSA_SHA256, SignatureAlgorithm.ECDSA_SHA256} else SHA512()

    @staticmethod
    def of(key: object) -> SignatureAlgorithm:
        """Return the usual one for a key; raises `KeyMismatch` for one that is neither RSA nor ECDSA."""
        if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
            return SignatureAlgorithm.RSA_SHA256
        if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
            return SignatureAlgorithm.ECDSA_SHA256
        raise KeyMismatch(f"requests are signed with RSA or ECDSA keys, not with {type(key).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureHeader:
    """The `Signature` header. `algorithm` is as written: whether it is known is the reader's to judge."""

    key_id: str
    algorithm: str
    fields: tuple[str, ...]
    signature: bytes

    @staticmethod
    def parse(text: str) -> SignatureHeader:
        """Read the header's value; raises `MalformedSignature`. Parameters that are not known are let be (draft §2.1)."""
        parameters = _parameters(text)
        missing = [name for name in ("keyId", "algorithm", "headers", "signature") if not parameters.get(name)]
        if missing:
            raise MalformedSignature(f"it has no {' and no '.join(missing)} (in double quotes)")
        return SignatureHeader(
            key_id=parameters["keyId"],
            algorithm=parameters["algorithm"],
            fields=_fields(parameters["headers"]),
            signature=_base64(parameters["signature"]),
        )

    def __str__(self) -> str:
        """Write it."""
        signature = base64.b64encode(self.signature).decode("ascii")
        return f'keyId="{self.key_id}",algorithm="{self.algorithm}",headers="{" ".join(self.fields)}",signature="{signature}"'


def _parameters(text: str) -> dict[str, str]:
    if len(text) > _MOST_CHARACTERS:
        raise MalformedSignature(f"it has {len(text)} characters, at most {_MOST_CHARACTERS} are read")
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PARAMETER.match(text, place)
        if match is None:
            raise MalformedSignature(f'its parameters can\'t be read from character {place + 1} on: write name="value",…')
        if match[1] in found:
            raise MalformedSignature(f"it has {match[1]} twice")
        found[match[1]] = match[2] if match[2] is not None else match[3]
        place = match.end()
    return found


def _fields(text: str) -> tuple[str, ...]:
    # The YAML's own example writes names in capitals; they are signed in small letters all the same (draft §2.3).
    fields = tuple(name.lower() for name in text.split())
    if len(fields) > _MOST_HEADERS:
        raise MalformedSignature(f"it names {len(fields)} headers, at most {_MOST_HEADERS} are read")
    if len(set(fields)) != len(fields):
        raise MalformedSignature("it names a header twice")
    for name in fields:
        if not _FIELD_NAME.fullmatch(name):
            raise MalformedSignature(f"{name[:40]!r} in headers is no header's name")
    return fields


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedSignature("its signature is no base64") from error


def signing_string(fields: Sequence[str], values: Mapping[str, Sequence[str]]) -> bytes:
    """Return what is signed (draft §2.3): `values` by small name, several of one name joined; raises `MissingField`."""
    lines = []
    for name in fields:
        if name not in values:
            raise MissingField(name)
        lines.append(f"{name}: {', '.join(value.strip() for value in values[name])}")
    return "\n".join(lines).encode("latin-1")


def sign(key: PrivateKey, algorithm: SignatureAlgorithm, message: bytes) -> bytes:
    """Return the signature; raises `KeyMismatch`."""
    _require_fitting(algorithm, is_rsa=isinstance(key, rsa.RSAPrivateKey))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), algorithm.hash)
    return key.sign(message, ec.ECDSA(algorithm.hash))


def verify(key: object, algorithm: SignatureAlgorithm, message: bytes, signature: bytes) -> None:
    """Raise `WrongSignature` unless the signature is this key's over `message`; `KeyMismatch` where they don't go together."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            _require_fitting(algorithm, is_rsa=True)
            key.verify(signature, message, padding.PKCS1v15(), algorithm.hash)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            _require_fitting(algorithm, is_rsa=False)
            key.verify(signature, message, ec.ECDSA(algorithm.hash))
        else:
            raise KeyMismatch(f"requests are signed with RSA or ECDSA keys, not with {type(key).__name__}")
    except InvalidSignature as error:
        raise WrongSignature("the signature is not that of this message and key") from error


def _require_fitting(algorithm: SignatureAlgorithm, *, is_rsa: bool) -> None:
    if algorithm.is_rsa is not is_rsa:
        raise KeyMismatch(f"the algorithm is {algorithm}, and the certificate's key is {'RSA' if is_rsa else 'ECDSA'}")

"""The `Digest` header: SHA-256 or SHA-512 of a request's body (RFC 3230 §4.3.2, RFC 5843, BG IG 1.3.8 §12.1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum
from typing import Final

_MOST_VALUES: Final = 4


class DigestAlgorithm(StrEnum):
    """The only ones that the guidelines allow."""

    SHA_256 = "SHA-256"
    SHA_512 = "SHA-512"


class DigestFault(ValueError):
    """A `Digest` header that does not say what the body is."""


class UnknownDigest(DigestFault):
    """A header without a digest in SHA-256 or SHA-512, or one that can't be read."""


class WrongDigest(DigestFault):
    """A digest of other bytes than these."""


def digest_header(body: bytes, algorithm: DigestAlgorithm = DigestAlgorithm.SHA_256) -> str:
    """Return the header's value; a request without a body has the digest of no bytes."""
    return f"{algorithm}={base64.b64encode(_hash(algorithm, body)).decode('ascii')}"


def require_digest(value: str, body: bytes) -> None:
    """Raise `UnknownDigest`, or `WrongDigest` where any of the header's digests is not that of `body`."""
    for algorithm, claimed in _known_digests(value):
        found = _hash(algorithm, body)
        if not hmac.compare_digest(claimed, found):
            raise WrongDigest(f"the {algorithm} of the {len(body)} bytes received is another")


def _known_digests(value: str) -> list[tuple[DigestAlgorithm, bytes]]:
    parts = [part.strip() for part in value.split(",")]
    if len(parts) > _MOST_VALUES:
        raise UnknownDigest(f"{len(parts)} digests, at most {_MOST_VALUES} are read")
    found = [known for part in parts if (known := _known(part)) is not None]
    if not found:
        names = ", ".join(part.partition("=")[0][:20] for part in parts)
        raise UnknownDigest(f"the digest is in {names or 'nothing'}, SHA-256 or SHA-512 is needed")
    return found


def _known(part: str) -> tuple[DigestAlgorithm, bytes] | None:
    """Return one digest, None for an algorithm that is not read here; names come in any case (RFC 3230 §4.1.1)."""
    name, _, encoded = part.partition("=")
    try:
        algorithm = DigestAlgorithm(name.strip().upper())
    except ValueError:
        return None
    try:
        claimed = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise UnknownDigest(f"the {algorithm} digest is no base64") from error
    return algorithm, claimed


def _hash(algorithm: DigestAlgorithm, body: bytes) -> bytes:
    return hashlib.sha256(body).digest() if algorithm is DigestAlgorithm.SHA_256 else hashlib.sha512(body).digest()

"""The field Content-Digest: a body's hash, by which a signature covers it (RFC 9530 §2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from gateway.message_signatures.faults import SignatureFault
from gateway.message_signatures.fields import MalformedField, read_dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIELD: Final = "content-digest"
# RFC 9530 §5: the two that are active. Others may stand beside them and count for nothing.
_ALGORITHMS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "sha-256": lambda body: hashlib.sha256(body).digest(),
    "sha-512": lambda body: hashlib.sha512(body).digest(),
}


def content_digest(body: bytes) -> str:
    """Return the field's value for a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode('ascii')}:"


def require_content_digest(value: str, body: bytes) -> None:
    """Raise `SignatureFault` unless the field's hash is that of the body: each that is taken, and one at least."""
    try:
        members = read_dictionary("Content-Digest", value)
    except MalformedField as error:
        raise SignatureFault("digest_malformed", f"The Content-Digest can't be read: {error}.") from error
    taken = [name for name in members if name in _ALGORITHMS]
    if not taken:
        raise SignatureFault("digest_algorithm", f"The Content-Digest has none of {' and '.join(_ALGORITHMS)}.")
    for name in taken:
        given = members[name][0]
        if not isinstance(given, bytes):
            raise SignatureFault("digest_malformed", f"The Content-Digest's {name} is no byte sequence between colons.")
        if not hmac.compare_digest(given, _ALGORITHMS[name](body)):
            detail = f"{len(body)} bytes with SHA-256 {hashlib.sha256(body).hexdigest()}"
            raise SignatureFault("digest_mismatch", f"The Content-Digest's {name} is not that of the body.", detail=detail)

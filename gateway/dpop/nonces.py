"""Nonces that a proof has to hold (RFC 9449 §8, §9): a moment and a seal over it, so that no server has to keep them.

Every process that has the key takes what another one gave.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.dpop.faults import ProofFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.dpop.proof import Proof

NONCE_SECONDS: Final = 300.0
_KEY_BYTES: Final = 32
_SEAL_BYTES: Final = 16
_MOMENT: Final = struct.Struct(">Q")


class Nonces:
    """Gives nonces and takes them back for `NONCE_SECONDS`."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        """Derive the key of what `secret` returns, asked for when first needed."""
        self._secret = secret
        self._key: bytes | None = None

    def fresh(self, now: float) -> str:
        """Return a nonce of this moment, epoch seconds."""
        moment = _MOMENT.pack(int(now))
        return base64.urlsafe_b64encode(moment + self._seal(moment)).rstrip(b"=").decode("ascii")

    def require_good(self, proof: Proof, now: float) -> None:
        """Raise `ProofFault` (`dpop.nonce`) unless the proof holds a nonce that was given here, a short time ago."""
        if proof.nonce is None or not self._is_good(proof.nonce, now):
            text = f"DPoP: claim nonce: is {'missing' if proof.nonce is None else 'not one of ours, or too old'}"
            hint = "make a new proof with the nonce of this answer's DPoP-Nonce header"
            raise ProofFault("dpop.nonce", text, hint=hint, clause="RFC 9449 §8, §9")

    def _is_good(self, nonce: str, now: float) -> bool:
        try:
            sealed = base64.b64decode(nonce + "=" * (-len(nonce) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        moment, seal = sealed[: _MOMENT.size], sealed[_MOMENT.size :]
        if len(moment) != _MOMENT.size or not hmac.compare_digest(seal, self._seal(moment)):
            return False
        (given_at,) = _MOMENT.unpack(moment)
        return bool(0 <= now - given_at + 1.0 <= NONCE_SECONDS)

    def _seal(self, moment: bytes) -> bytes:
        if self._key is None:
            derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"gateway.dpop.nonces")
            self._key = derivation.derive(self._secret())
        return hmac.digest(self._key, moment, "sha256")[:_SEAL_BYTES]

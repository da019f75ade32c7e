"""With which algorithm each kind of key signs messages, and what it is called (RFC 9421 §3.3, FAPI 2.0 SP §5.4.1).

A key has one algorithm. Two of the three stand in RFC 9421's registry; PS256 is known by its key alone (§3.3.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519, RSA_PSS_SHA512, HTTPSignatureAlgorithm

from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHA256_BYTES: Final = 32


class Ps256(RSA_PSS_SHA512):
    """RSASSA-PSS with SHA-256 and a salt of as many bytes (RFC 7518 §3.5)."""

    algorithm_id = "PS256"

    def __init__(self, public_key: Any = None, private_key: Any = None) -> None:  # noqa: ANN401 - as the library has it
        """Take the key."""
        super().__init__(public_key=public_key, private_key=private_key)  # type: ignore[no-untyped-call]
        self.padding = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=_SHA256_BYTES)
        self.hash_algorithm = hashes.SHA256()


CLASSES: Final[Mapping[SigningAlg, type[HTTPSignatureAlgorithm]]] = {
    SigningAlg.PS256: Ps256,
    SigningAlg.ES256: ECDSA_P256_SHA256,
    SigningAlg.EDDSA: ED25519,
}
REGISTERED: Final[Mapping[SigningAlg, str | None]] = {
    SigningAlg.PS256: None,
    SigningAlg.ES256: "ecdsa-p256-sha256",
    SigningAlg.EDDSA: "ed25519",
}

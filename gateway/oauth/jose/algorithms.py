"""The signature algorithms there are here, and the one kind of key that each takes (FAPI 2.0 SP §5.4.1, RFC 8725 §3.1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SigningAlgorithm(StrEnum):
    """A JWS algorithm, by its registered name."""

    PS256 = "PS256"  # RSASSA-PSS, SHA-256
    ES256 = "ES256"  # ECDSA, P-256, SHA-256
    EDDSA = "EdDSA"  # Ed25519, never Ed448

    @property
    def key_kind(self) -> str:
        """Say in words which key it takes."""
        return _KEY_KINDS[self]


SUPPORTED: Final = frozenset(SigningAlgorithm)
LEAST_RSA_BITS: Final = 2048
_KEY_KINDS: Final = {
    SigningAlgorithm.PS256: "an RSA key",
    SigningAlgorithm.ES256: "an EC key on P-256",
    SigningAlgorithm.EDDSA: "an OKP key on Ed25519",
}

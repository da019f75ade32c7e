"""The signature algorithms there are here, and the one kind of key that each takes (FAPI 2.0 SP §5.4.1, RFC 8725 §3.1)."""

from __future__ import annotations

from typing import Final

from gateway.register.model import SigningAlg

SUPPORTED: Final = frozenset(SigningAlg)
LEAST_RSA_BITS: Final = 2048
KEY_KINDS: Final = {
    SigningAlg.PS256: "an RSA key",
    SigningAlg.ES256: "an EC key on P-256",
    SigningAlg.EDDSA: "an OKP key on Ed25519",
}

"""The signature algorithms there are here, and the one kind of key that each takes (FAPI 2.0 SP §5.4.1, RFC 8725 §3.1)."""

from __future__ import annotations

from typing import Final

from gateway.register.model import ED25519, SigningAlg

SUPPORTED: Final = frozenset(SigningAlg)
LEAST_RSA_BITS: Final = 2048
_NAMES: Final = {**{algorithm.value: algorithm for algorithm in SigningAlg}, ED25519: SigningAlg.EDDSA}
# What a signature may be said to be: by a client, of what is verified here. What this server signs, it says is `EdDSA`.
VERIFIED_NAMES: Final = tuple(_NAMES)
KEY_KINDS: Final = {
    SigningAlg.PS256: "an RSA key",
    SigningAlg.ES256: "an EC key on P-256",
    SigningAlg.EDDSA: "an OKP key on Ed25519",
}


def algorithm_named(name: object) -> SigningAlg | None:
    """Return the algorithm of a name in a header or a key, None where there is none of that name."""
    return _NAMES.get(name) if isinstance(name, str) else None

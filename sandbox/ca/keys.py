"""Private and public keys: what the authorities make, load and accept (TS 119 312 §6.2, EN 319 412-2 §4.2.5)."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes as PublicKeyTypes

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_RSA_EXPONENT: Final = 65_537
_RSA_EXPONENT_MIN: Final = 65_537  # TS 119 312 §6.2.2.1: 2^16 < e
_BITS_A_BYTE: Final = 8


class KeyAlgorithm(StrEnum):
    """Keys that the authorities make themselves."""

    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"


class KeyRules(BaseModel):
    """What a certificate signing request may bring."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_bytes: Annotated[int, Field(ge=1_024, le=65_536)]
    rsa_bits_min: Annotated[int, Field(ge=2_048, le=8_192)]
    rsa_bits_max: Annotated[int, Field(ge=2_048, le=8_192)]
    curves: Annotated[frozenset[Literal["secp256r1", "secp384r1", "secp521r1"]], Field(min_length=1)]

    @model_validator(mode="after")
    def _require_range(self) -> Self:
        if self.rsa_bits_min > self.rsa_bits_max:
            raise ValueError(f"rsa_bits_min: {self.rsa_bits_min} is more than rsa_bits_max, {self.rsa_bits_max}")
        return self


class KeyFault(StrEnum):
    """What is wrong with a public key."""

    KIND = "key_kind"
    WEAK = "weak_key"
    TOO_LARGE = "key_too_large"
    CURVE = "curve"
    EXPONENT = "rsa_exponent"


class KeyRefused(ValueError):
    """A public key that nothing is issued for; the message says what would be right."""

    def __init__(self, fault: KeyFault, message: str) -> None:
        """Take the fault and what to do about it."""
        super().__init__(message)
        self.fault = fault


class UnreadableKey(ValueError):
    """Bytes that hold no private key of the kinds used here."""


def make_key(algorithm: KeyAlgorithm) -> PrivateKey:
    """Make a new key."""
    match algorithm:
        case KeyAlgorithm.EC_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyAlgorithm.EC_P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyAlgorithm.RSA_2048 | KeyAlgorithm.RSA_3072 | KeyAlgorithm.RSA_4096:
            bits = int(algorithm.removeprefix("rsa-"))
            return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=bits)


def make_key_like(key: PrivateKey) -> PrivateKey:
    """Make a key of the same kind and size, for a signature that is thrown away."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ec.generate_private_key(key.curve)
    return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=key.key_size)


def signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Choose the hash that fits the key's strength (TS 119 312 §7)."""
    strong = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > ec.SECP256R1.key_size
    return hashes.SHA384() if strong else hashes.SHA256()


def private_pem(key: PrivateKey) -> bytes:
    """Write a key as PKCS #8 PEM; where it is stored is what protects it."""
    encoding, format_ = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, format_, serialization.NoEncryption())


def load_private_key(pem: bytes) -> PrivateKey:
    """Read a PKCS #8 PEM. Raises UnreadableKey, whose message holds nothing of the key."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise UnreadableKey("no private key in PEM without a password") from error
    if not isinstance(key, PrivateKey):
        raise UnreadableKey("a private key of another kind than EC or RSA")
    return key


def key_sha256(key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo, as hex: the same key is the same however it is wrapped."""
    return hashlib.sha256(public_der(key)).hexdigest()


def public_der(key: PublicKeyTypes) -> bytes:
    """Write a public key as SubjectPublicKeyInfo DER."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def require_sound_key(key: object, rules: KeyRules) -> PublicKey:
    """Return the key if something may be issued for it. Raises KeyRefused."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        _require_curve(key, rules)
        return key
    if isinstance(key, rsa.RSAPublicKey):
        _require_rsa(key, rules)
        return key
    kind = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
    raise KeyRefused(KeyFault.KIND, f"the key is {kind}: use EC or RSA (TS 119 312 §6.2)")


def _require_curve(key: ec.EllipticCurvePublicKey, rules: KeyRules) -> None:
    if key.curve.name not in rules.curves:
        right = ", ".join(sorted(rules.curves))
        raise KeyRefused(KeyFault.CURVE, f"the key is on curve {key.curve.name}: use one of {right}")


def _require_rsa(key: rsa.RSAPublicKey, rules: KeyRules) -> None:
    bits = key.key_size
    if bits < rules.rsa_bits_min:
        raise KeyRefused(KeyFault.WEAK, f"the RSA key has {bits} bits: at least {rules.rsa_bits_min} are needed")
    if bits > rules.rsa_bits_max:
        raise KeyRefused(KeyFault.TOO_LARGE, f"the RSA key has {bits} bits: at most {rules.rsa_bits_max} are accepted")
    if bits % _BITS_A_BYTE:
        raise KeyRefused(KeyFault.KIND, f"the RSA key has {bits} bits: a multiple of 8 is needed")
    exponent = key.public_numbers().e
    if exponent < _RSA_EXPONENT_MIN or exponent % 2 == 0:
        raise KeyRefused(KeyFault.EXPONENT, f"the RSA exponent is {exponent}: use 65537 (TS 119 312 §6.2.2.1)")

"""Public keys as JWK Sets hold them (RFC 7517): each strong enough, of one kind, and for one algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.util import base64_to_int

from gateway.oauth.jose.algorithms import LEAST_RSA_BITS, algorithm_named
from gateway.oauth.jose.refusals import KeySetRefused
from gateway.oauth.jose.strict_json import NotAnObject, read_object
from gateway.register.key_certificates import certificate_of
from gateway.register.model import SigningAlg
from gateway.trust.keys import weakness_of_key

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_KEYS: Final = 20
MOST_BYTES: Final = 64 * 1024
_MOST_RSA_BITS: Final = 8192  # verifying takes the longer, the longer the key is
_MOST_EXPONENT_BITS: Final = 64
_MOST_KID_CHARACTERS: Final = 200
_PRIVATE_MEMBERS: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_READ_MEMBERS: Final = frozenset({"kty", "crv", "x", "y", "n", "e"})
_Usable = RSAKey | ECKey | OKPKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that can verify, and the one algorithm that it does so with."""

    kid: str | None
    algorithm: SigningAlg
    key: _Usable


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A key of the set that verifies nothing, `field` where it stands, and why.

    `names_certificate`: it says all the same which certificate its owner may authenticate by (RFC 8705 §2.2).
    """

    field: str
    kid: str | None
    reason: str
    names_certificate: bool = False


@dataclass(frozen=True, slots=True)
class KeySet:
    """What a client signs with."""

    keys: tuple[PublicKey, ...]
    passed_over: tuple[PassedOver, ...] = ()

    def of_kid(self, kid: str) -> tuple[PublicKey, ...]:
        """Return the keys of that name; more than one where its owner named several alike."""
        return tuple(key for key in self.keys if key.kid == kid)

    def of_algorithm(self, algorithm: SigningAlg) -> tuple[PublicKey, ...]:
        """Return the keys that verify with `algorithm`."""
        return tuple(key for key in self.keys if key.algorithm is algorithm)


class _PassOver(Exception):
    """A key that others may use: for encryption, of another kind, too weak."""


class _NoAlgorithm(_PassOver):
    """A key of a kind that no algorithm here takes."""


def read_key_set(text: str | bytes) -> KeySet:
    """Read a JWK Set as somebody publishes it; raises `KeySetRefused`.

    Keys for other purposes are passed over (RFC 7517 §5). A private or shared key refuses the whole set: it is public now, and
    its owner has to hear of it.
    """
    return _read(text if isinstance(text, str) else _decoded(text))


def read_registered_keys(text: str | bytes, *, for_certificates: bool = False) -> KeySet:
    """Read the JWK Set that a client registers; raises `KeySetRefused` where one of its keys could not be used.

    `for_certificates`: a key whose certificate the client authenticates by need not be one that signs messages.
    """
    key_set = read_key_set(text)
    for passed in key_set.passed_over:
        if not (for_certificates and passed.names_certificate):
            raise KeySetRefused(passed.field, passed.reason)
    return key_set


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeySetRefused("jwks", "is not JSON in UTF-8") from error


# Reading an RSA key costs more than verifying with it, and a text says the same each time.
@lru_cache(maxsize=256)
def _read(text: str) -> KeySet:
    if len(text) > MOST_BYTES:
        raise KeySetRefused("jwks", f"has {len(text)} characters, at most {MOST_BYTES} are read")
    try:
        entries = read_object(text).get("keys")
    except NotAnObject as error:
        raise KeySetRefused("jwks", str(error)) from error
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_KEYS:
        raise KeySetRefused("keys", f"must be an array of 1 to {MOST_KEYS} public keys (RFC 7517 §5)")
    read = [_key_or_passed_over(f"keys.{index}", entry) for index, entry in enumerate(entries)]
    keys = tuple(each for each in read if isinstance(each, PublicKey))
    passed_over = tuple(each for each in read if isinstance(each, PassedOver))
    if not keys and not any(passed.names_certificate for passed in passed_over):
        raise KeySetRefused(passed_over[0].field, f"{passed_over[0].reason}; no key is left that could be used")
    return KeySet(keys, passed_over)


def _key_or_passed_over(field: str, entry: object) -> PublicKey | PassedOver:
    if not isinstance(entry, dict):
        raise KeySetRefused(field, "must be an object: a JWK (RFC 7517 §4)")
    for member in _PRIVATE_MEMBERS:
        if member in entry:
            raise KeySetRefused(f"{field}.{member}", "is private: register public keys only, and replace this one")
    kid = entry.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= _MOST_KID_CHARACTERS):
        raise KeySetRefused(f"{field}.kid", f"must be a text of 1 to {_MOST_KID_CHARACTERS} characters")
    try:
        return PublicKey(kid, *_usable(entry))
    except _NoAlgorithm as reason:
        return PassedOver(field, kid, str(reason), names_certificate=_has_strong_certificate(entry))
    except _PassOver as reason:
        return PassedOver(field, kid, str(reason))


def _has_strong_certificate(entry: Mapping[str, Any]) -> bool:
    try:
        certificate = certificate_of(entry)
    except ValueError:
        return False
    return certificate is not None and weakness_of_key(certificate) is None


def _usable(entry: Mapping[str, Any]) -> tuple[SigningAlg, _Usable]:
    _require_for_signatures(entry)
    try:
        if entry.get("kty") == RSAKey.key_type:
            _require_strong_rsa(base64_to_int(entry["n"]), base64_to_int(entry["e"]))
        key = JWKRegistry.import_key({name: value for name, value in entry.items() if name in _READ_MEMBERS})
        # Imported lazily: a point that is on no curve shows here at the latest.
        _ = key.raw_value
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _PassOver("is no JWK whose public key can be read (RFC 7518 §6)") from error
    algorithm = _algorithm_of(key)
    if "alg" in entry and algorithm_named(entry["alg"]) is not algorithm:
        raise _PassOver(f"its alg is {entry['alg']!s:.40}, where {algorithm.value} would fit the key")
    return algorithm, key  # type: ignore[return-value]


def _require_for_signatures(entry: Mapping[str, Any]) -> None:
    if entry.get("use", "sig") != "sig":
        raise _PassOver("its use is not sig")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _PassOver("its key_ops do not hold verify")


def _algorithm_of(key: object) -> SigningAlg:
    if isinstance(key, RSAKey):
        return SigningAlg.PS256
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return SigningAlg.ES256
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        return SigningAlg.EDDSA
    raise _NoAlgorithm("is neither an RSA key nor on P-256 (EC) or Ed25519 (OKP) (FAPI 2.0 SP §5.4.1)")


def _require_strong_rsa(modulus: int, exponent: int) -> None:
    if not LEAST_RSA_BITS <= modulus.bit_length() <= _MOST_RSA_BITS:
        raise _PassOver(
            f"has {modulus.bit_length()} bits, RSA keys need {LEAST_RSA_BITS} to {_MOST_RSA_BITS} (FAPI 2.0 SP §5.4.1)"
        )
    if exponent.bit_length() > _MOST_EXPONENT_BITS:
        raise _PassOver(f"has an RSA exponent of more than {_MOST_EXPONENT_BITS} bits: 65537 is usual")

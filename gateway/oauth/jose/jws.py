"""Verifies a client's signed message (RFC 7515 §5.2, RFC 8725 §3).

Of what the message says of itself, only which of the registered keys and of the allowed algorithms it takes is believed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import urlsafe_b64decode

from gateway.oauth.jose.algorithms import KEY_KINDS, algorithm_named
from gateway.oauth.jose.claims import Claims
from gateway.oauth.jose.key_set import read_registered_keys
from gateway.oauth.jose.refusals import JwsRefused, KeySetRefused, UnknownKey
from gateway.oauth.jose.strict_json import NotAnObject, read_object
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Collection

    from joserfc._rfc7515.model import JWSAlgModel

    from gateway.oauth.jose.key_set import KeySet, PublicKey

MOST_CHARACTERS: Final = 12 * 1024
_MOST_HEADER_CHARACTERS: Final = 2048
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", re.ASCII)
_ENCRYPTED_DOTS: Final = 4
_EMBEDDED: Final = ("jwk", "jku", "x5u", "x5c")
_JWT: Final = "jwt"


class _Registry(JWSRegistry):
    """Joserfc's algorithms, without its limits and warnings: both are decided here, before it is asked."""

    max_header_length = _MOST_HEADER_CHARACTERS
    max_payload_length = MOST_CHARACTERS

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[(algorithm_named(name) or SigningAlg(name)).value]


REGISTRY: Final = _Registry(algorithms=[algorithm.value for algorithm in SigningAlg], strict_check_header=False)


def verified_jws(compact: str, keys: KeySet, *, algs: Collection[SigningAlg], typ: str | None = None) -> Claims:
    """Return what the message says; raises `JwsRefused`, and `UnknownKey` where its key is not in the set.

    `typ` is the type that its header must name (RFC 8725 §3.11); None takes messages that name none, or `JWT`.
    """
    header = _header(compact)
    _require_plain(header)
    algorithm = _algorithm(header, algs)
    named = _require_type(header, typ)
    return Claims(_payload(compact, _key(header, algorithm, keys)), kid=header.get("kid"), typ=named)


def verified_by_own_key(compact: str, *, algs: Collection[SigningAlg], typ: str) -> tuple[Claims, PublicKey]:
    """Return what a message of type `typ` says, and the public key that it brings along as `jwk`; raises `JwsRefused`.

    It proves possession of that key and nothing else: whose it is, somebody else has to say (RFC 9449 §4.3).
    """
    header = _header(compact)
    _require_type(header, typ)
    brought = header.pop("jwk", None)
    _require_plain(header)
    algorithm = _algorithm(header, algs)
    try:
        (key,) = read_registered_keys(json.dumps({"keys": [brought]})).keys
    except KeySetRefused as error:
        text = f"header jwk: {error.reason}"
        raise JwsRefused("jose.jwk", text, hint="bring the public key, and nothing but it", clause="RFC 7517 §4") from error
    if key.algorithm is not algorithm:
        text = f"header jwk: is a key for {key.algorithm}, where alg says {algorithm}"
        raise JwsRefused("jose.jwk", text, hint=f"{algorithm} takes {KEY_KINDS[algorithm]}", clause="RFC 8725 §3.1")
    return Claims(_payload(compact, key), typ=typ), key


def typ_of(compact: str) -> str | None:
    """Return the type that the header names, in lower case and without `application/`; raises `JwsRefused`."""
    return _typ(_header(compact))


def _header(compact: str) -> dict[str, Any]:
    if len(compact) > MOST_CHARACTERS:
        text = f"has {len(compact)} characters, at most {MOST_CHARACTERS} are read"
        raise JwsRefused("jose.size", text, hint="sign fewer or shorter values", clause="RFC 7515 §10.12")
    if compact.count(".") == _ENCRYPTED_DOTS:
        raise _malformed("jose.encrypted", "is encrypted, which is not supported")
    if not _COMPACT.fullmatch(compact):
        raise _malformed("jose.form", "is no JWS: three parts of base64url without padding, joined by dots")
    encoded = compact.partition(".")[0]
    if len(encoded) > _MOST_HEADER_CHARACTERS:
        raise _malformed("jose.size", f"its header has more than {_MOST_HEADER_CHARACTERS} characters")
    try:
        header = read_object(urlsafe_b64decode(encoded.encode("ascii")))
    except NotAnObject as error:
        raise _malformed("jose.header", f"its header {error}") from error
    except ValueError as error:
        raise _malformed("jose.header", "its header is not base64url") from error
    return header


def _require_plain(header: dict[str, Any]) -> None:
    for name in ("crit", "b64"):
        if name in header:
            text, clause = f"header {name}: no extension is understood here", "RFC 7515 §4.1.11"
            raise JwsRefused("jose.crit", text, hint=f"leave {name} out", clause=clause)
    for name in _EMBEDDED:
        if name in header:
            text = f"header {name}: a message can't bring its own key along"
            raise JwsRefused("jose.embedded_key", text, hint="register the key and name it by kid", clause="RFC 8725 §3.10")


def _algorithm(header: dict[str, Any], algs: Collection[SigningAlg]) -> SigningAlg:
    named = header.get("alg")
    allowed = ", ".join(sorted(alg.value for alg in algs))
    if named == "none":
        raise _wrong_algorithm("jose.alg_none", f"header alg: none signs nothing; sign with {allowed}")
    if isinstance(named, str) and named.startswith("HS"):
        raise _wrong_algorithm("jose.alg_symmetric", f"header alg: shared secrets are not used here; sign with {allowed}")
    algorithm = algorithm_named(named)
    if algorithm is not None and algorithm in algs:
        return algorithm
    raise _wrong_algorithm("jose.alg", f"header alg: must be one of {allowed}")


def _wrong_algorithm(reason: str, text: str) -> JwsRefused:
    return JwsRefused(reason, text, hint="choose the algorithm, and a registered key that fits it", clause="FAPI 2.0 SP §5.4.1")


def _typ(header: dict[str, Any]) -> str | None:
    typ = header.get("typ")
    if typ is None:
        return None
    if not isinstance(typ, str):
        raise _malformed("jose.typ", "header typ: must be a text")
    # A media type, whatever its case, whose `application/` may be left out (RFC 7515 §4.1.9).
    return typ.lower().removeprefix("application/")


def _require_type(header: dict[str, Any], typ: str | None) -> str | None:
    named = _typ(header)
    if named != typ and not (typ is None and named == _JWT):
        wanted = "left out, or JWT" if typ is None else typ
        raise JwsRefused(
            "jose.typ", f"header typ: must be {wanted}", hint="correct typ and sign again", clause="RFC 8725 §3.11"
        )
    return named


def _key(header: dict[str, Any], algorithm: SigningAlg, keys: KeySet) -> PublicKey:
    kid = header.get("kid")
    if kid is None:
        return _only(keys.of_algorithm(algorithm), algorithm)
    if not isinstance(kid, str):
        raise _malformed("jose.header", "header kid: must be a text")
    named = keys.of_kid(kid)
    if not named:
        raise _unknown_kid(kid, keys)
    fitting = tuple(key for key in named if key.algorithm is algorithm)
    if not fitting:
        text = f"header kid: names a key for {named[0].algorithm}, where alg says {algorithm}"
        raise JwsRefused("jose.key_type", text, hint=f"{algorithm} takes {KEY_KINDS[algorithm]}", clause="RFC 8725 §3.1")
    return _only(fitting, algorithm)


def _unknown_kid(kid: str, keys: KeySet) -> JwsRefused:
    for passed in keys.passed_over:
        if passed.kid == kid:
            text = f"header kid: names a key that is not used: {passed.reason}"
            return JwsRefused("jose.key_unusable", text, hint="sign with another key of the set", clause="RFC 7517 §5")
    text, hint = "header kid: names no key of the client", "publish the key first, then sign with it"
    return UnknownKey("jose.kid", text, hint=hint, clause="RFC 7515 §4.1.4")


def _only(keys: tuple[PublicKey, ...], algorithm: SigningAlg) -> PublicKey:
    if not keys:
        text = f"header alg: the client has no key for {algorithm}"
        raise UnknownKey("jose.no_key", text, hint=f"register {KEY_KINDS[algorithm]}", clause="RFC 7515 §6")
    if len(keys) > 1:
        text = f"header kid: is needed, for the client has {len(keys)} keys for {algorithm} under the same name or none"
        raise JwsRefused(
            "jose.kid_ambiguous", text, hint="give each key a kid of its own and name it", clause="RFC 7515 §4.1.4"
        )
    return keys[0]


def _payload(compact: str, key: PublicKey) -> dict[str, Any]:
    try:
        payload = deserialize_compact(compact, key.key, algorithms=[key.algorithm.value], registry=REGISTRY).payload
    except (JoseError, ValueError) as error:
        text, hint = "its signature is not that of the key", "sign exactly what is sent, with the key that kid names"
        raise JwsRefused("jose.signature", text, hint=hint, clause="RFC 7515 §5.2") from error
    try:
        return read_object(payload)
    except NotAnObject as error:
        raise _malformed("jose.payload", f"its payload {error}") from error


def _malformed(reason: str, text: str) -> JwsRefused:
    return JwsRefused(reason, text, hint="make it with a JOSE library, as a compact JWS of a JWT", clause="RFC 7515 §7.1")

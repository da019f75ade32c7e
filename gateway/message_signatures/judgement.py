"""The signature of a request, on one page: what it covers, when it was made, by which key, and whether it is right.

FAPI 2.0 HTTP Signatures §5.3.1.2, RFC 9421 §3.2. Each line is a check that raises; the order decides which of several faults
is named. The signature base and its verification are the library's, which is asked last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from gateway.message_signatures.algorithms import CLASSES, REGISTERED
from gateway.message_signatures.content_digest import FIELD as DIGEST
from gateway.message_signatures.content_digest import require_content_digest
from gateway.message_signatures.faults import SignatureFault, UnknownKeyId
from gateway.message_signatures.fields import REQUEST_TAG, combined, presented_signature
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.message_signatures.fields import Component, PresentedSignature
    from gateway.message_signatures.messages import RequestMessage
    from gateway.oauth.jose.key_set import KeySet, PublicKey

FUTURE_SECONDS: Final = 10.0  # as FAPI 2.0 SP §5.3.2.1 wants it taken of other moments
_ALWAYS_COVERED: Final = ("@method", "@target-uri", "authorization")
_COVERED_IF_THERE: Final = ("dpop", DIGEST)
_DERIVED: Final = frozenset(
    {"@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@query-param"}
)
_OF_QUERY_PARAMETERS: Final = frozenset({"name"})
_OF_FIELDS: Final = frozenset({"sf", "key", "bs"})
# Order of the group of P-256 (SEC 2 §2.4.2).
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_COORDINATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSignature:
    """A signature that holds. `use` is what must not come twice, good until `ends_at` (epoch seconds)."""

    keyid: str
    algorithm: SigningAlg
    created: int
    ends_at: float
    use: str


class _Verifier(HTTPMessageVerifier):
    """The library's, without its judgement of moments: it asks the system's clock, and has been told enough."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Leave it to `_require_recent`."""


def verified_request(message: RequestMessage, keys: KeySet, *, now: float, seconds: float) -> VerifiedSignature:
    """Return the signature of a request by one of the client's `keys`; raises `SignatureFault`.

    It was made at most `seconds` before `now`, epoch seconds.
    """
    presented = presented_signature(message.lines, tag=REQUEST_TAG)
    _require_covered(presented, message)
    ends_at = _require_recent(presented, now, seconds)
    key = _key(presented, keys)
    _require_digest(message)
    require_verified(presented, key, message)
    return VerifiedSignature(
        keyid=presented.keyid or "",
        algorithm=key.algorithm,
        created=presented.created or 0,
        ends_at=ends_at,
        use=_use(presented, key),
    )


def _require_covered(presented: PresentedSignature, message: RequestMessage) -> None:
    """Raise unless everything is signed that must be, and nothing that the request does not have."""
    there = {name for name, _ in message.lines}
    if message.body and DIGEST not in there:
        raise SignatureFault("digest_missing", "The request has a body and no Content-Digest, which is to be signed.")
    wanted = (*_ALWAYS_COVERED, *(name for name in _COVERED_IF_THERE if name in there))
    uncovered = [name for name in wanted if not presented.covers(name)]
    if uncovered:
        raise SignatureFault("components", f"The signature does not cover {_listed(uncovered)}.")
    for component in presented.components:
        _require_present(component, there)


def _require_present(component: Component, there: set[str]) -> None:
    name, parameters = component.name, {parameter for parameter, _ in component.parameters}
    if name.startswith("@"):
        allowed, is_there = (_OF_QUERY_PARAMETERS if name == "@query-param" else frozenset(), name in _DERIVED)
    else:
        allowed, is_there = _OF_FIELDS, name in there
    if not is_there:
        raise SignatureFault("components", f"The signature covers {name[:60]}, which the request does not have.")
    if not parameters <= allowed:
        unknown = _listed(sorted(parameters - allowed))
        raise SignatureFault("components", f"The signature covers {name[:60]} with {unknown}, which means nothing here.")


def _require_recent(presented: PresentedSignature, now: float, seconds: float) -> float:
    """Return when the signature ends to be good; raises where that has been, or where it is from the future."""
    created, expires = presented.created, presented.expires
    if created is None:
        raise SignatureFault("created", "The signature does not say when it was created.")
    if created > now + FUTURE_SECONDS:
        ahead = created - now
        text = f"The signature was created {ahead:.0f} seconds ahead; at most {FUTURE_SECONDS:g} are taken."
        raise SignatureFault("not_yet", text)
    if now > created + seconds:
        text = f"The signature was created {now - created:.0f} seconds ago; at most {seconds:g} are taken."
        raise SignatureFault("too_old", text)
    if expires is not None and now >= expires:
        raise SignatureFault("too_old", f"The signature has expired {now - expires:.0f} seconds ago, by its own word.")
    return created + seconds


def _key(presented: PresentedSignature, keys: KeySet) -> PublicKey:
    if presented.keyid is None:
        raise SignatureFault("keyid", "The signature has no keyid.")
    named = keys.of_kid(presented.keyid)
    if not named:
        for passed in keys.passed_over:
            if passed.kid == presented.keyid:
                raise SignatureFault("key", f"The signature's keyid names a key that is not used: {passed.reason}.")
        raise UnknownKeyId
    if presented.alg is not None:
        fitting = tuple(key for key in named if REGISTERED[key.algorithm] == presented.alg)
        if not fitting:
            raise SignatureFault("algorithm", f"The signature's alg is not that of the key: {_of(named)}.")
        named = fitting
    if len(named) > 1:
        raise SignatureFault("key", f"The signature's keyid names {len(named)} keys of the client: it has to name one.")
    return named[0]


def _of(keys: Iterable[PublicKey]) -> str:
    """Say what `alg` may be; that of an RSA key has no name there (RFC 9421 §3.3.7)."""
    names = {REGISTERED[key.algorithm] for key in keys}
    return " or ".join(sorted(f'alg="{name}"' if name else f"no alg, and {SigningAlg.PS256.value}" for name in names))


def _require_digest(message: RequestMessage) -> None:
    value = combined(message.lines, DIGEST)
    if value is not None:
        require_content_digest(value, message.body)


def require_verified(presented: PresentedSignature, key: PublicKey, message: RequestMessage) -> None:
    """Raise `SignatureFault` unless the key verifies the signature of the message; by itself this says little."""
    resolver = MappingKeyResolver(public_keys={presented.keyid or "": _public(key)}, private_keys={})
    verifier = _Verifier(signature_algorithm=CLASSES[key.algorithm], key_resolver=resolver)
    try:
        label = presented.label if presented.tag else None
        verifier.verify(message, max_age=None, expect_tag=presented.tag, expect_label=label)
    except HTTPMessageSignaturesException as error:
        covered = " ".join(str(component) for component in presented.components)
        detail = f"covered are {covered}; {str(error) or 'the key does not verify it'}"
        text = f"The signature does not verify with the key that keyid names ({key.algorithm.value})."
        raise SignatureFault("invalid", text, detail=detail[:1_000]) from error


def _public(key: PublicKey) -> Any:  # noqa: ANN401 - one of cryptography's public keys
    return key.key.raw_value


def _use(presented: PresentedSignature, key: PublicKey) -> str:
    """Name what must not come twice: the key and its signature, of which ECDSA lets anybody make a second one (r, n - s)."""
    signature = presented.signature
    if key.algorithm is SigningAlg.ES256:
        s = int.from_bytes(signature[_COORDINATE_BYTES:], "big")
        signature = signature[:_COORDINATE_BYTES] + min(s, _P256_ORDER - s).to_bytes(_COORDINATE_BYTES, "big")
    return hashlib.sha256(key.key.thumbprint().encode("ascii") + signature).hexdigest()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name[:60] for name in names)

"""A client that signs its requests (RFC 9421); signature bases are written by hand, not by the library that verifies them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from joserfc.jwk import ECKey

from gateway.oauth.jose.jws import REGISTRY
from gateway.oauth.jose.private_keys import PrivateKey, new_private_key
from gateway.register.model import SigningAlg

REQUEST_TAG = "fapi-2-request"
USUAL = ('"@method"', '"@target-uri"', '"authorization"')


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@dataclass
class MessageSigner:
    """A client's private key."""

    alg: SigningAlg = SigningAlg.ES256
    kid: str = "sig-1"
    key: PrivateKey = field(default_factory=lambda: new_private_key(SigningAlg.ES256))

    @staticmethod
    def of(alg: SigningAlg, kid: str = "sig-1") -> MessageSigner:
        return MessageSigner(alg, kid, new_private_key(alg))

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**self.key.as_dict(private=False), "kid": self.kid}]}

    def sign(self, base: str) -> bytes:
        return bytes(REGISTRY.get_alg(self.alg.value).sign(base.encode(), self.key))


def signed_fields(
    signer: MessageSigner,
    *,
    method: str,
    url: str,
    fields: dict[str, str],
    created: int,
    components: tuple[str, ...] | None = None,
    parameters: str | None = None,
    label: str = "sig1",
) -> dict[str, str]:
    """Return Signature-Input and Signature of a request; `fields` by names in lower case."""
    if components is None:
        components = USUAL + tuple(f'"{name}"' for name in ("dpop", "content-digest") if name in fields)
    if parameters is None:
        parameters = f';created={created};keyid="{signer.kid}";tag="{REQUEST_TAG}"'
    derived = {'"@method"': method, '"@target-uri"': url}
    lines = [f"{name}: {derived.get(name) or fields.get(name.strip(chr(34)), '')}" for name in components]
    listed = f"({' '.join(components)}){parameters}"
    base = "\n".join([*lines, f'"@signature-params": {listed}'])
    signature = base64.b64encode(signer.sign(base)).decode()
    return {"signature-input": f"{label}={listed}", "signature": f"{label}=:{signature}:"}


@dataclass
class Asked:
    """A request as its client remembers it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class Answered:
    """An answer as the library reads it."""

    status_code: int
    headers: dict[str, str]
    request: Asked


def require_signed_answer(answered: Answered, jwks: dict[str, Any], *, body: bytes) -> dict[str, Any]:
    """Return what the signature of an answer covers; raises where it does not hold. By the library, bases and all."""

    class Keys(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> Any:
            (jwk,) = (each for each in jwks["keys"] if each["kid"] == key_id)
            return ECKey.import_key(jwk).raw_value

    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=Keys())
    verifier.max_clock_skew = timedelta(seconds=60)
    (found,) = verifier.verify(answered, expect_tag="fapi-2-response", body=body, max_age=timedelta(minutes=5))
    return {"label": found.label, "covered": set(found.covered_components), "parameters": found.parameters}

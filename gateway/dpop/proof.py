"""A DPoP proof: what it must be, and what it says (RFC 9449 §4.2, §4.3). Pure; whether it came before, a store knows."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.dpop.addresses import comparable
from gateway.dpop.faults import ProofFault
from gateway.oauth.jose.algorithms import SUPPORTED, VERIFIED_NAMES
from gateway.oauth.jose.jws import verified_by_own_key
from gateway.oauth.jose.refusals import JwsRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.oauth.jose.claims import Claims

TYPE: Final = "dpop+jwt"
ALGS: Final = " ".join(sorted(VERIFIED_NAMES))
MOST_CHARACTERS: Final = 4096
_MOST_JTI_CHARACTERS: Final = 256
_CLOCKS_APART_SECONDS: Final = 10.0  # as FAPI 2.0 SP §5.3.2.1 wants it taken of other JWTs
# What the general judgement of signed messages calls a fault, and what it is called of a proof.
_REASONS: Final = {
    "jose.typ": "dpop.typ",
    "jose.alg": "dpop.alg",
    "jose.alg_none": "dpop.alg",
    "jose.alg_symmetric": "dpop.alg",
    "jose.jwk": "dpop.jwk",
    "jose.signature": "dpop.signature",
    "jose.claim.jti": "dpop.jti",
    "jose.claim.htm": "dpop.htm",
    "jose.claim.htu": "dpop.htu",
    "jose.claim.iat": "dpop.iat",
    "jose.claim.ath": "dpop.ath",
    "jose.claim.nonce": "dpop.malformed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a signed proof says. `jkt` is the thumbprint of the key that signed it (RFC 7638); times are epoch seconds."""

    jkt: str
    jti: str
    htm: str
    htu: str
    iat: float
    ath: str | None
    nonce: str | None
    nbf: float | None = None
    exp: float | None = None

    @property
    def use(self) -> str:
        """What must not come twice: a key signs each `jti` once, whatever the request (RFC 9449 §11.1)."""
        return hashlib.sha256(f"{self.jkt} {self.jti}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The request that a proof has to be made for; `now` is epoch seconds, `address` the request's whole URL.

    `token` is the access token beside it, None at the token endpoint. A proof is good for `seconds`.
    """

    method: str
    address: str
    now: float
    seconds: float
    token: bytes | None = None


def read_proof(fields: Sequence[str]) -> Proof:
    """Return the one proof of a request's `DPoP` fields, its signature verified; raises `ProofFault`."""
    if len(fields) != 1:
        reason, text = ("dpop.repeated", "stands there more than once") if fields else ("dpop.missing", "is missing")
        raise ProofFault(reason, f"DPoP: {text}", hint="send exactly one DPoP header field, with a proof made for this request")
    if len(fields[0]) > MOST_CHARACTERS:
        text = f"DPoP: has {len(fields[0])} characters, at most {MOST_CHARACTERS} are read"
        raise ProofFault("dpop.malformed", text, hint="leave out what a proof does not need", clause="RFC 9449 §4.2")
    try:
        claims, key = verified_by_own_key(fields[0], algs=SUPPORTED, typ=TYPE)
        return _proof(claims, jkt=str(key.key.thumbprint()))
    except JwsRefused as refused:
        reason = _REASONS.get(refused.reason, "dpop.malformed")
        raise ProofFault(reason, f"DPoP: {refused.text}", hint=refused.hint, clause=_clause(refused)) from refused


def require_made_for(proof: Proof, occasion: Occasion) -> None:
    """Raise `ProofFault` unless the proof was made for this request, just now, and for its access token."""
    if proof.htm != occasion.method:
        raise ProofFault(
            "dpop.htm", "DPoP: claim htm: is not the request's method", hint=f"sign htm {occasion.method} for this request"
        )
    _require_address(proof, occasion)
    _require_fresh(proof, occasion)
    if occasion.token is None:
        return
    if proof.ath is None or not hmac.compare_digest(proof.ath.encode(), _hash_of(occasion.token)):
        raise ProofFault(
            "dpop.ath",
            f"DPoP: claim ath: {'is missing' if proof.ath is None else 'is not the hash of the access token'}",
            hint="sign ath: the base64url SHA-256 of the access token that is sent, without padding",
        )


def _proof(claims: Claims, *, jkt: str) -> Proof:
    jti = claims.text("jti")
    if len(jti) > _MOST_JTI_CHARACTERS:
        text = f"DPoP: claim jti: has {len(jti)} characters, at most {_MOST_JTI_CHARACTERS} are taken"
        raise ProofFault("dpop.jti", text, hint="make jti of 128 random bits", clause="RFC 9449 §4.2")
    return Proof(
        jkt=jkt,
        jti=jti,
        htm=claims.text("htm"),
        htu=claims.text("htu"),
        iat=claims.moment("iat").timestamp(),
        ath=claims.text("ath") if "ath" in claims.values else None,
        nonce=claims.text("nonce") if "nonce" in claims.values else None,
        nbf=_optional_seconds(claims, "nbf"),
        exp=_optional_seconds(claims, "exp"),
    )


def _optional_seconds(claims: Claims, name: str) -> float | None:
    moment = claims.optional_moment(name)
    return None if moment is None else moment.timestamp()


def _require_address(proof: Proof, occasion: Occasion) -> None:
    try:
        is_same = comparable(proof.htu) == comparable(occasion.address)
    except ValueError:
        is_same = False
    if not is_same:
        hint = "sign htu: scheme, host, port and path of this request, without query and fragment"
        raise ProofFault("dpop.htu", "DPoP: claim htu: is not the address of the request", hint=hint)


def _require_fresh(proof: Proof, occasion: Occasion) -> None:
    age = occasion.now - proof.iat
    if age > occasion.seconds:
        text = f"DPoP: claim iat: is more than {occasion.seconds:g} seconds ago"
        raise ProofFault("dpop.iat", text, hint="make a new proof for each request, and set your clock")
    if age < -_CLOCKS_APART_SECONDS:
        text = f"DPoP: claim iat: is more than {_CLOCKS_APART_SECONDS:g} seconds ahead"
        raise ProofFault("dpop.iat", text, hint="set your clock, and sign the seconds since 1970")
    _require_in_force(proof, occasion.now)


def _require_in_force(proof: Proof, now: float) -> None:
    """Raise `ProofFault` where a proof says itself that it is not good yet, or no more: it need not, `iat` does."""
    if proof.nbf is not None and proof.nbf > now + _CLOCKS_APART_SECONDS:
        text, clause = "DPoP: claim nbf: lies in the future", "RFC 7519 §4.1.5"
        raise ProofFault("dpop.iat", text, hint="leave nbf out, or sign the present moment", clause=clause)
    if proof.exp is not None and proof.exp <= now - _CLOCKS_APART_SECONDS:
        text, clause = "DPoP: claim exp: has passed", "RFC 7519 §4.1.4"
        raise ProofFault("dpop.iat", text, hint="make a new proof for each request, and leave exp out", clause=clause)


def _hash_of(token: bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(token).digest()).rstrip(b"=")


def _clause(refused: JwsRefused) -> str:
    return f"RFC 9449 §4.3, {refused.clause}"

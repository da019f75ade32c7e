"""Which key a token is bound to (RFC 9449 §5), and a code before it (§10).

A client with `dpop_bound_access_tokens` gets tokens that are bound to a key alone, and none without a proof. Another client's
proof binds its token to the key too, and takes nothing away: it stays bound to the certificate (RFC 9449 §5.2, RFC 8705 §3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.dpop.faults import ProofFault
from gateway.dpop.proof import Occasion, read_proof, require_made_for
from gateway.dpop.rule import NonceRule
from gateway.dpop.uses import require_first
from gateway.oauth.parameters import Parameters
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_grant, invalid_request

if TYPE_CHECKING:
    from gateway.dpop.nonces import Nonces
    from gateway.dpop.rule import ProofRule
    from gateway.limits.accounts import AccountStore
    from gateway.register.model import Client
    from psd2.clock import Clock

PARAMETER: Final = "dpop_jkt"
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_METHOD: Final = "POST"


@dataclass(frozen=True, slots=True)
class Proofs:
    """The `DPoP` fields of a request, and whether its route has a word on nonces."""

    fields: tuple[str, ...]
    nonce: NonceRule | None = None


class KeyBinding:
    """Judges the proofs that come to the authorization server; each is taken once, by whichever process."""

    def __init__(self, *, store: AccountStore, rule: ProofRule, clock: Clock) -> None:
        self._store = store
        self._rule = rule
        self._clock = clock

    def key_of(self, presented: Proofs, client: Client, *, address: str) -> str | None:
        """Return the thumbprint of the key that a token is bound to, None for none; raises `OAuthRefused`.

        `presented` came with a POST to `address`.
        """
        if not presented.fields and not client.dpop_bound_access_tokens:
            return None
        return self._proven(presented, address)

    def proven_key(self, presented: Proofs, *, address: str) -> str | None:
        """Return the key of a proof beside a pushed request, None for none; raises `OAuthRefused` (RFC 9449 §10.1)."""
        return self._proven(presented, address) if presented.fields else None

    def _proven(self, presented: Proofs, address: str) -> str:
        now, nonces = self._clock.now().timestamp(), self._rule.nonces(presented.nonce)
        try:
            proof = read_proof(presented.fields)
            require_made_for(proof, Occasion(method=_METHOD, address=address, now=now, seconds=self._rule.seconds))
            if nonces is not None:
                nonces.require_good(proof, now)
            require_first(self._store, proof, now=now, seconds=self._rule.seconds)
        except ProofFault as fault:
            raise _refused(fault, nonces, now) from fault
        return proof.jkt


def _refused(fault: ProofFault, nonces: Nonces | None, now: float) -> OAuthRefused:
    fresh = nonces.fresh(now) if fault.reason == "dpop.nonce" and nonces is not None else None
    refusal = Refusal(
        error="invalid_dpop_proof" if fresh is None else "use_dpop_nonce",
        description=fault.text,
        reason=fault.reason,
        hint=fault.hint,
        clause=fault.clause,
        headers=() if fresh is None else (("DPoP-Nonce", fresh),),
    )
    return OAuthRefused(refusal)


def presented_proofs(field: str | None, nonce: str | None) -> Proofs:
    """Read the `DPoP` fields of a request: a server joins several by a comma, which no proof holds (RFC 9110 §5.3).

    `nonce` is the edge's word.
    """
    fields = () if field is None else tuple(each.strip() for each in field.split(","))
    return Proofs(fields, None if nonce is None else NonceRule(nonce))


def asked_key(parameters: Parameters) -> str | None:
    """Return the key that the code is to be redeemed with, as an authorization request names it; raises `OAuthRefused`."""
    thumbprint = parameters.get(PARAMETER)
    if thumbprint is not None and not _THUMBPRINT.fullmatch(thumbprint):
        rule = "must be the base64url SHA-256 thumbprint of a key, 43 characters (RFC 7638)"
        raise invalid_request(PARAMETER, rule, clause="RFC 9449 §10")
    return thumbprint


def with_proven_key(parameters: Parameters, jkt: str | None) -> Parameters:
    """Return a pushed request as asking for the key that came with it; raises `OAuthRefused` where it names another (§10.1)."""
    if jkt is None:
        return parameters
    if parameters.get(PARAMETER) not in {None, jkt}:
        raise invalid_request(PARAMETER, "is not the key of the DPoP proof beside it", clause="RFC 9449 §10.1")
    return Parameters({**parameters.values, PARAMETER: jkt}, parameters.repeated)


def require_asked_key(asked: str | None, jkt: str | None) -> None:
    """Raise `OAuthRefused` (invalid_grant) where a code is redeemed with another key than the one that was asked for."""
    if asked is not None and asked != jkt:
        raise invalid_grant(
            f"{PARAMETER}: the authorization request named another key than the one of the DPoP proof"
            if jkt is not None
            else f"{PARAMETER}: the authorization request named a key, and no DPoP proof came with the code",
            reason="grant.dpop_jkt",
            hint="redeem the code with a DPoP proof by the key that dpop_jkt named",
            clause="RFC 9449 §10",
        )

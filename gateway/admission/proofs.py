"""The proof beside a token that is bound to a key: made for this request, with that key (RFC 9449 §7).

Judged here without I/O; whether it came before, over any worker, is asked of an admitted request (`gateway.edge.proof_uses`).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from gateway.admission.refusal import Refusal, Scheme
from gateway.admission.tokens import presented_secret
from gateway.dpop.faults import ProofFault
from gateway.dpop.proof import Occasion, read_proof, require_made_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.admission.request import Request
    from gateway.admission.tokens import AccessToken
    from gateway.dpop.nonces import Nonces
    from gateway.dpop.proof import Proof
    from gateway.dpop.rule import ProofRule
    from gateway.policies.model import Route

_BEGIN: Final = b"dpop: "  # fields go on with their names in lower case


def proof_of(request: Request, token: AccessToken | None, route: Route, rule: ProofRule, now: float) -> Proof | None:
    """Return the proof of a token that is bound to a key, None of any other; raises 401."""
    if token is None or not token.jkt:
        return None
    nonces = rule.nonces(route.dpop_nonce)
    try:
        # The checks run again where something had to be looked up; what was signed stays what it was.
        proof = request.proof = request.proof or read_proof(_fields(request.lines))
        if not hmac.compare_digest(proof.jkt, token.jkt):
            detail = f"token of client {token.client_id} is bound to {token.jkt}, the proof is by {proof.jkt}"
            raise Refusal("token.jkt_mismatch", detail, scheme=Scheme.DPOP)
        require_made_for(proof, _occasion(request, now, rule.seconds))
        if nonces is not None:
            nonces.require_good(proof, now)
    except ProofFault as fault:
        raise _refusal(fault, nonces, now) from fault
    return proof


def _fields(lines: Sequence[bytes]) -> list[str]:
    return [line[len(_BEGIN) :].strip().decode("latin-1") for line in lines if line.startswith(_BEGIN)]


def _occasion(request: Request, now: float, seconds: float) -> Occasion:
    return Occasion(
        method=request.method,
        address=f"https://{request.host}{request.path}",
        now=now,
        seconds=seconds,
        token=presented_secret(request.authorization),
    )


def _refusal(fault: ProofFault, nonces: Nonces | None, now: float) -> Refusal:
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if fault.reason == "dpop.nonce" and nonces is not None:
        headers = ((b"dpop-nonce", nonces.fresh(now).encode("ascii")),)
    return Refusal(fault.reason, fault.text, public_text=f"{fault.text}.", headers=headers, scheme=Scheme.DPOP)

"""That a proof is used once, over all workers and replicas: one unit of an account of its own in the store of limits.

The store grants the unit to one claimer, whoever else claims it, and forgets the account when the proof is too old anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.dpop.faults import ProofFault
from gateway.limits.accounts import Claim

if TYPE_CHECKING:
    from gateway.dpop.proof import Proof
    from gateway.limits.accounts import AccountStore

_SPARE_SECONDS: Final = 5.0  # for clocks of several machines


def claim_of(proof: Proof, *, now: float, seconds: float) -> Claim:
    """Return the claim of a proof that is good for `seconds` from its `iat` on."""
    return Claim(
        key=f"dpop|{proof.use}",
        capacity=1,
        per_second=0,
        wanted=1,
        overdraws=False,
        keep_seconds=max(0.0, proof.iat + seconds - now) + _SPARE_SECONDS,
    )


def require_first(store: AccountStore, proof: Proof, *, now: float, seconds: float) -> None:
    """Raise `ProofFault` where the proof was used before; raises `StoreUnreachable`; blocks."""
    (taken,) = store.take([claim_of(proof, now=now, seconds=seconds)])
    if not taken.granted:
        raise replayed()


def replayed() -> ProofFault:
    """Return the fault of a proof that has come before."""
    return ProofFault(
        "dpop.replayed",
        "DPoP: claim jti: has been used before",
        hint="make a new proof, with a jti of its own, for each request, also where one is sent again",
        clause="RFC 9449 §11.1",
    )

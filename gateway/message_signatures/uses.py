"""That a signature is used once, over all workers: a unit of an account of its own in the store of limits, as of proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.limits.accounts import Claim

if TYPE_CHECKING:
    from gateway.message_signatures.judgement import VerifiedSignature

_SPARE_SECONDS: Final = 5.0  # for clocks of several machines


def claim_of(signature: VerifiedSignature, *, now: float) -> Claim:
    """Return the claim; the account is forgotten when the signature is too old anyway."""
    return Claim(
        key=f"message-signature|{signature.use}",
        capacity=1,
        per_second=0,
        wanted=1,
        overdraws=False,
        keep_seconds=max(0.0, signature.ends_at - now) + _SPARE_SECONDS,
    )

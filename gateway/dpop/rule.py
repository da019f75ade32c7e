"""What is asked of proofs, by the settings: the same at the token endpoint and at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chassis.sealing import KeyFile
from gateway.dpop.nonces import Nonces

if TYPE_CHECKING:
    from gateway.config import GatewaySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRule:
    """For how long after its `iat` a proof is good, and who gives the nonces where it must hold one."""

    seconds: float
    nonces: Nonces | None = None


DEFAULT_RULE: Final = ProofRule(seconds=60.0)


def proof_rule(settings: GatewaySettings) -> ProofRule:
    """Return the rule; nonces are sealed by the key of the home, which all processes of a gateway have."""
    nonces = Nonces(KeyFile(settings.home.document_key)) if settings.dpop_nonce else None
    return ProofRule(seconds=settings.dpop_seconds, nonces=nonces)

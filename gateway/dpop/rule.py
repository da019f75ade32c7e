"""What is asked of proofs, by the settings: the same at the token endpoint and at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from chassis.sealing import KeyFile
from gateway.dpop.nonces import Nonces

if TYPE_CHECKING:
    from gateway.config import GatewaySettings


# What the edge tells the authorization server of the route that a request came by; absent where that says nothing.
NONCE_HEADER: Final = "X-Sandbox-DPoP-Nonce"


class NonceRule(StrEnum):
    """Whether proofs must hold a nonce of this server (RFC 9449 §8, §9)."""

    OFF = "off"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRule:
    """For how long after its `iat` a proof is good, who gives nonces, and whether it must hold one where no route says so."""

    seconds: float
    giver: Nonces | None = None
    usual: NonceRule = NonceRule.OFF

    def nonces(self, said: NonceRule | None) -> Nonces | None:
        """Return who gives the nonce that a proof must hold, None where it needs none; `said` is the route's word."""
        return self.giver if (said or self.usual) is NonceRule.REQUIRED else None


DEFAULT_RULE: Final = ProofRule(seconds=60.0)


def proof_rule(settings: GatewaySettings) -> ProofRule:
    """Return the rule; nonces are sealed by the key of the home, which all processes of a gateway have."""
    return ProofRule(
        seconds=settings.dpop_seconds,
        giver=Nonces(KeyFile(settings.home.document_key)),
        usual=NonceRule.REQUIRED if settings.dpop_nonce else NonceRule.OFF,
    )

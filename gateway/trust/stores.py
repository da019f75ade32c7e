"""The trust stores in force in one worker: what their documents say, and what holds where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.trust.rules import CrlRules, RevocationRules, StoreRules

if TYPE_CHECKING:
    from gateway.config import GatewaySettings


def default_rules(settings: GatewaySettings) -> StoreRules:
    """Return the rules of a store that no document describes: CRLs that are sent to us, as the settings say."""
    crl = CrlRules(grace_seconds=settings.crl_grace_seconds)
    return StoreRules(revocation=RevocationRules(unknown=settings.revocation, crl=crl))

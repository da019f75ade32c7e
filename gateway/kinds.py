"""The table of all kinds of document that this gateway knows; each area writes its own, here they meet."""

from __future__ import annotations

from typing import Final

from gateway.acme.kind import ACME_ACCOUNTS, ACME_CERTIFICATES
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.listeners import LISTENERS
from gateway.certificates.server_names import SERVER_NAMES
from gateway.configuration.model import Kinds
from gateway.plans.kind import PLANS, SUBSCRIBERS
from gateway.policies.kind import DEPLOYMENTS
from gateway.relays.kind import RELAYS
from gateway.trust.kind import TRUST_STORES
from gateway.upstreams.kind import UPSTREAMS

KINDS: Final = Kinds(
    (
        ACME_ACCOUNTS,
        ACME_CERTIFICATES,
        CERTIFICATES,
        DEPLOYMENTS,
        LISTENERS,
        PLANS,
        RELAYS,
        SERVER_NAMES,
        SUBSCRIBERS,
        TRUST_STORES,
        UPSTREAMS,
    )
)

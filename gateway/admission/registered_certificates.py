"""Self-signed certificates that clients have registered: let in by their hash, where the route takes them (RFC 8705 §2.2).

Nothing that such a certificate says of its holder counts; what it says of its own key does: in which time, and for what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.admission.refusal import Refusal
from gateway.policies.model import SelfSigned
from gateway.register.model import AuthMethod, ClientStatus
from gateway.trust.leaf_checks import parsed_leaf, require_client_purpose, require_in_time, require_strong_key
from gateway.trust.rules import Profile
from gateway.trust.verdict import Distrusted, Trusted

if TYPE_CHECKING:
    from gateway.admission.memory import Memory
    from gateway.admission.request import Leaf
    from gateway.policies.model import Route
    from gateway.register.model import Client


class Registered(Protocol):
    """Who has registered which certificate."""

    @property
    def clients(self) -> Memory[Client]:
        """Clients by their ids."""

    @property
    def certificate_holders(self) -> Memory[tuple[str, ...]]:
        """The ids of the clients that have registered a self-signed certificate, by its SHA-256 (hex)."""


def registered_certificate(leaf: Leaf, route: Route, known: Registered, now: float) -> Trusted | None:
    """Return a certificate that no authority has issued, None where no client has registered it; raises 401, `NotLoaded`."""
    registrant = registrant_of(leaf, known)
    if registrant is None:
        return None
    if route.self_signed is not SelfSigned.REGISTERED:
        raise Refusal("mtls.self_signed", f"registered by a client of {registrant}")
    try:
        certificate = parsed_leaf(leaf.der)
        require_client_purpose(certificate)
        require_in_time(certificate, now)
        require_strong_key(certificate.x509)
    except Distrusted as error:
        raise Refusal(error.distrust.value, str(error)) from error
    return Trusted(
        certificate=certificate,
        profile=Profile.CLIENT,
        status=None,
        holds_from=certificate.not_before.timestamp(),
        holds_until=certificate.not_after.timestamp(),
        registrant=registrant,
    )


def registrant_of(leaf: Leaf, known: Registered) -> str | None:
    """Return the TPP whose clients have registered a certificate, one of them at least in use; raises `NotLoaded`."""
    for client_id in known.certificate_holders.known(leaf.sha256) or ():
        client = known.clients.known(client_id)
        if client is not None and _authenticates_so(client):
            return client.authorisation_number
    return None


def _authenticates_so(client: Client) -> bool:
    return client.status is ClientStatus.ACTIVE and client.token_endpoint_auth_method is AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH

"""What a TPP program needs to know of itself and the platform: the body of `client.json` (architecture §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from chassis.addresses import PortTable
    from sandbox.tpps.model import Tpp


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """Where the world reaches this platform."""

    host: str
    ports: PortTable

    @property
    def welcome(self) -> str:
        """Plain HTTP: root certificate, CRLs, OCSP."""
        return f"http://{self.host}:{self.ports.welcome}"

    @property
    def portal(self) -> str:
        """The portal and the registration API."""
        return f"https://{self.host}:{self.ports.portal}"

    @property
    def front(self) -> str:
        """The issuer: where browsers authorize."""
        return f"https://{self.host}:{self.ports.front}"

    @property
    def edge(self) -> str:
        """Where TPPs call, with their QWAC."""
        return f"https://{self.host}:{self.ports.edge}"

    @property
    def demo(self) -> str:
        """The demo app."""
        return f"https://{self.host}:{self.ports.demo}"

    def registration(self, tpp: Tpp) -> str:
        """Where a TPP manages its registration."""
        return f"{self.portal}/api/tpps/{quote(str(tpp.authorisation_number), safe='')}"


def client_data(tpp: Tpp, addresses: PublicAddresses) -> dict[str, Any]:
    """Return who the TPP is, how its client is registered, and where the platform answers."""
    return {
        **tpp.client_metadata,  # by the names of RFC 7591; the register's own members below can't be replaced by it
        "name": tpp.name,
        "organisation": tpp.organisation,
        "authorisation_number": str(tpp.authorisation_number),
        "roles": sorted(tpp.roles),
        "client_id": tpp.client_id,
        "profile": tpp.profile.value,
        "token_endpoint_auth_method": tpp.client_metadata.get("token_endpoint_auth_method", "tls_client_auth"),
        "redirect_uris": list(tpp.redirect_uris),
        "status": tpp.status.value,
        "issuer": addresses.front,
        "endpoints": {
            "authorization": f"{addresses.front}/authorize",
            "token": f"{addresses.edge}/token",
            "introspection": f"{addresses.edge}/introspect",
            "revocation": f"{addresses.edge}/revoke",
            "pushed_authorization_request": f"{addresses.edge}/par",
            "edge": addresses.edge,
            "portal": addresses.portal,
        },
        "registration_client_uri": addresses.registration(tpp),
    }

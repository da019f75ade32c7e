"""An OAuth client as the control API takes and tells it: names and meaning of RFC 7591 §2 and the RFCs that add to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.admin.bodies import Body, Name
from gateway.register.client_fields import ClientFields, said_of_client
from gateway.register.client_metadata import METADATA, plain_metadata
from gateway.register.model import Client, ClientProfile
from gateway.register.operator_terms import held_terms

# Not the operator's to say: what the client's own registration made of it.
_OWN: Final = frozenset({"registration_access_token_sha256", "software_statement_issuer"})
_TOLD: Final = tuple(name for name in METADATA if name not in _OWN)


class ClientBody(ClientFields, Body):
    """`PUT /clients/{client_id}`."""

    authorisation_number: Name
    name: Name
    profile: ClientProfile = ClientProfile.BERLIN

    def client(self, client_id: str, *, standing: Client | None) -> Client:
        """Return the client that the body describes; what it registered by itself stays as it is `standing`."""
        own = {name: getattr(standing, name) for name in _OWN} if standing is not None else {}
        wanted = Client(
            client_id=client_id,
            authorisation_number=self.authorisation_number,
            name=self.name,
            profile=self.profile,
            **said_of_client(self),
            **own,
        )
        return replace(wanted, held_by_operator=held_terms(standing, wanted))


def client_json(client: Client) -> dict[str, object]:
    """Return a client as the control API tells it, without the hash of its registration's token."""
    metadata = plain_metadata(client)
    return {
        "client_id": client.client_id,
        "authorisation_number": client.authorisation_number,
        "name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "profile": client.profile,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "status": client.status,
        **{name: metadata[name] for name in _TOLD},
        "software_statement_issuer": client.software_statement_issuer,
    }

"""An OAuth client as the control API takes and tells it: names and meaning of RFC 7591 §2 and the RFCs that add to it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from gateway.admin.bodies import MOST_ENTRIES, Body, Name
from gateway.register.client_metadata import METADATA, plain_metadata
from gateway.register.model import (
    DEFAULT_GRANT_TYPES,
    ApplicationType,
    AuthMethod,
    Client,
    ClientProfile,
    DeliveryMode,
    GrantType,
    SigningAlg,
)

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
# Not the operator's to say: what the client's own registration made of it.
_OWN: Final = frozenset({"registration_access_token_sha256", "software_statement_issuer"})
_TOLD: Final = tuple(name for name in METADATA if name not in _OWN)


class ClientBody(Body):
    """`PUT /clients/{client_id}`."""

    authorisation_number: Name
    name: Name
    redirect_uris: Annotated[tuple[str, ...], Field(max_length=MOST_ENTRIES)] = ()
    profile: ClientProfile = ClientProfile.BERLIN
    token_endpoint_auth_method: AuthMethod = AuthMethod.TLS_CLIENT_AUTH
    application_type: ApplicationType = ApplicationType.WEB
    token_endpoint_auth_signing_alg: SigningAlg | None = None
    tls_client_auth_subject_dn: _Text | None = None
    tls_client_auth_san_dns: _Text | None = None
    tls_client_auth_san_uri: _Text | None = None
    tls_client_auth_san_ip: _Text | None = None
    tls_client_auth_san_email: _Text | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: _Text | None = None
    grant_types: Annotated[tuple[GrantType, ...], Field(max_length=MOST_ENTRIES)] = DEFAULT_GRANT_TYPES
    request_object_signing_alg: SigningAlg | None = None
    require_signed_request_object: bool = False
    authorization_signed_response_alg: SigningAlg | None = None
    introspection_signed_response_alg: SigningAlg | None = None
    dpop_bound_access_tokens: bool = False
    authorization_details_types: Annotated[tuple[Name, ...], Field(max_length=MOST_ENTRIES)] = ()
    backchannel_token_delivery_mode: DeliveryMode | None = None
    backchannel_client_notification_endpoint: _Text | None = None

    def client(self, client_id: str, *, standing: Client | None) -> Client:
        """Return the client that the body describes; what it registered by itself stays as it is `standing`."""
        own = {name: getattr(standing, name) for name in _OWN} if standing is not None else {}
        said = {name: getattr(self, name) for name in type(self).model_fields}
        return Client(client_id=client_id, **said, **own)


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

"""What may be registered of a client, field by field, by the operator or by itself (RFC 7591 §2 and what adds to it)."""

# Not `from __future__ import annotations`: pydantic reads the types of the fields while the class is made.
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, StringConstraints

from gateway.register.model import (
    DEFAULT_GRANT_TYPES,
    ApplicationType,
    AuthMethod,
    DeliveryMode,
    GrantType,
    SigningAlg,
)

MOST_ENTRIES: Final = 50
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_Type = Annotated[str, StringConstraints(min_length=1, max_length=140, strip_whitespace=True)]


class ClientFields(BaseModel):
    """The fields by the names of `Client`; whoever takes a body adds what it says of the client besides."""

    redirect_uris: Annotated[tuple[str, ...], Field(max_length=MOST_ENTRIES)] = ()
    token_endpoint_auth_method: AuthMethod = AuthMethod.TLS_CLIENT_AUTH
    application_type: ApplicationType = ApplicationType.WEB
    token_endpoint_auth_signing_alg: SigningAlg | None = None
    tls_client_auth_subject_dn: Text | None = None
    tls_client_auth_san_dns: Text | None = None
    tls_client_auth_san_uri: Text | None = None
    tls_client_auth_san_ip: Text | None = None
    tls_client_auth_san_email: Text | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: Text | None = None
    grant_types: Annotated[tuple[GrantType, ...], Field(max_length=MOST_ENTRIES)] = DEFAULT_GRANT_TYPES
    request_object_signing_alg: SigningAlg | None = None
    require_signed_request_object: bool = False
    authorization_signed_response_alg: SigningAlg | None = None
    introspection_signed_response_alg: SigningAlg | None = None
    dpop_bound_access_tokens: bool = False
    authorization_details_types: Annotated[tuple[_Type, ...], Field(max_length=MOST_ENTRIES)] = ()
    backchannel_token_delivery_mode: DeliveryMode | None = None
    backchannel_client_notification_endpoint: Text | None = None
    backchannel_authentication_request_signing_alg: SigningAlg | None = None


FIELDS: Final = tuple(ClientFields.model_fields)


def said_of_client(body: ClientFields) -> dict[str, Any]:
    """Return the fields as `Client` takes them."""
    return {name: getattr(body, name) for name in FIELDS}

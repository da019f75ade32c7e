"""`tls_client_auth`: a client is its TPP's when the QWAC names that TPP (RFC 8705 §2.1, BG IG 1.3.8 §13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.oauth.refusals import invalid_client, invalid_request
from gateway.register.model import AuthMethod, Client, ClientStatus, Tpp, TppStatus

if TYPE_CHECKING:
    from gateway.oauth.parameters import Parameters
    from gateway.register.service import Register
    from psd2.certificates import Psd2Certificate

GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
OTHER_CREDENTIALS: Final = ("client_secret", "client_assertion", "client_assertion_type")


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client whose certificate is its TPP's; answers what Authlib asks of a client."""

    client: Client
    tpp: Tpp

    @property
    def client_id(self) -> str:
        """Return the registered client id."""
        return self.client.client_id

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Tell whether the client authenticates in this way; `none` is no way: public clients don't exist here."""
        return method == self.client.token_endpoint_auth_method

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use the grant type."""
        return grant_type in GRANT_TYPES


def authenticated_client(parameters: Parameters, certificate: Psd2Certificate, register: Register) -> AuthenticatedClient:
    """Return the client that `client_id` names and the certificate proves; raises `OAuthRefused`."""
    _require_no_other_credentials(parameters)
    client_id = parameters.require("client_id", "is missing: tls_client_auth needs it")
    client = register.client_named(client_id)
    if client is None:
        hint = "register the client, or correct client_id: client.json in the TPP's folder holds it"
        raise invalid_client("client_id names no client", reason="client.unknown", hint=hint)
    _require_same_tpp(certificate, client)
    return AuthenticatedClient(client, _active_tpp(client, register.tpp(client.authorisation_number)))


def _require_no_other_credentials(parameters: Parameters) -> None:
    for name in OTHER_CREDENTIALS:
        if parameters.get(name) is not None:
            rule = f"is not taken: clients authenticate by {AuthMethod.TLS_CLIENT_AUTH}, and in one way only"
            raise invalid_request(name, rule, clause="RFC 6749 §2.3")


def _require_same_tpp(certificate: Psd2Certificate, client: Client) -> None:
    if certificate.authorisation_number != client.authorisation_number:
        raise invalid_client(
            "the certificate's organizationIdentifier is not the authorisation number of the client's TPP",
            reason="client.certificate_mismatch",
            hint="present a QWAC of the TPP that the client was registered for",
        )


def _active_tpp(client: Client, tpp: Tpp | None) -> Tpp:
    if tpp is None or tpp.status is not TppStatus.ACTIVE:
        raise invalid_client("the client's TPP is not active", reason="tpp.blocked", hint="ask the operator why")
    if client.status is not ClientStatus.ACTIVE:
        raise invalid_client("the client is not active", reason="client.blocked", hint="ask the operator why")
    return tpp

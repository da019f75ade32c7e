"""Authenticates clients, each in the one way that it registered; its QWAC says which TPP is calling, whatever the way.

RFC 6749 §2.3 (one way only), RFC 8705 §2, RFC 7523 §3, BG IG 1.3.8 §13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chassis.told.vouched_certificates import Vouched
from gateway.oauth.clients.assertions import ASSERTION_PARAMETERS, Assertions, asserted_client_id
from gateway.oauth.clients.certificates import (
    is_registered_certificate,
    require_registered_certificate,
    require_registered_subject,
)
from gateway.oauth.jose.refusals import JwsRefused
from gateway.oauth.refusals import invalid_client, invalid_request
from gateway.register.model import AuthMethod, Client, ClientStatus, Tpp, TppStatus

if TYPE_CHECKING:
    from gateway.oauth.arrival import PresentedCertificate
    from gateway.oauth.jose.client_keys import ClientKeys
    from gateway.oauth.parameters import Parameters
    from gateway.register.service import Register, RegisteredClient
    from psd2.certificates import Psd2Certificate

# Taken nowhere here: whoever sends a secret has to hear that it was not looked at.
_SECRET: Final = "client_secret"  # noqa: S105 - a name
CREDENTIALS: Final = frozenset({"client_id", _SECRET, *ASSERTION_PARAMETERS})


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that has shown who it is, and the TPP that it belongs to; answers what Authlib asks of a client."""

    client: Client
    tpp: Tpp

    @property
    def client_id(self) -> str:
        """Return the registered client id."""
        return self.client.client_id

    def check_endpoint_auth_method(self, _method: str, _endpoint: str) -> bool:
        """Tell that the way was right: by another one nobody gets here."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the client may use the grant type."""
        return grant_type in self.client.grant_types


class ClientAuthentication:
    """Finds out which client is asking."""

    def __init__(self, *, register: Register, keys: ClientKeys, assertions: Assertions) -> None:
        self._register = register
        self._keys = keys
        self._assertions = assertions

    def authenticated(self, parameters: Parameters, presented: PresentedCertificate) -> AuthenticatedClient:
        """Return the client that the request names and proves; raises `OAuthRefused`."""
        if parameters.get(_SECRET) is not None:
            raise invalid_request(_SECRET, "is not taken: clients have keys and certificates here", clause="RFC 6749 §2.3")
        client, tpp = self._named(parameters)
        _require_same_tpp(presented, client)
        _require_registered_way(parameters, client)
        _require_qwac(presented, client)
        self._require_proven(parameters, presented.certificate, client)
        return AuthenticatedClient(client, _active_tpp(client, tpp))

    def _named(self, parameters: Parameters) -> RegisteredClient:
        client_id = parameters.get("client_id") or asserted_client_id(parameters)
        if client_id is None:
            client_id = parameters.require("client_id", "is missing: it says which client is asking")
        found = self._register.registered(client_id)
        if found is None:
            hint = "register the client, or correct client_id: client.json in the TPP's folder holds it"
            raise invalid_client("client_id names no client", reason="client.unknown", hint=hint)
        return found

    def _require_proven(self, parameters: Parameters, certificate: Psd2Certificate, client: Client) -> None:
        match client.token_endpoint_auth_method:
            case AuthMethod.TLS_CLIENT_AUTH:
                require_registered_subject(certificate, client)
            case AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH:
                self._require_registered(certificate, client)
            case AuthMethod.PRIVATE_KEY_JWT:
                self._assertions.require(parameters, client)

    def _require_registered(self, certificate: Psd2Certificate, client: Client) -> None:
        """Raise unless a key names the certificate; one that is not known yet is looked for at the client's address anew."""
        try:
            document = self._keys.document(client)
            if not is_registered_certificate(certificate, document) and self._keys.is_asked_anew(client):
                document = self._keys.document(client)
        except JwsRefused as refused:
            raise invalid_client(refused.text, reason="client.keys", hint=refused.hint, clause=refused.clause) from refused
        require_registered_certificate(certificate, document)


def _require_registered_way(parameters: Parameters, client: Client) -> None:
    method = client.token_endpoint_auth_method
    sent = [name for name in ASSERTION_PARAMETERS if parameters.get(name) is not None]
    if sent and method is not AuthMethod.PRIVATE_KEY_JWT:
        raise invalid_client(
            f"{sent[0]}: is not taken, the client is registered for {method}",
            reason="client.method",
            hint=f"leave {' and '.join(ASSERTION_PARAMETERS)} out, or register the client for {AuthMethod.PRIVATE_KEY_JWT}",
            clause="RFC 6749 §2.3",
        )
    if not sent and method is AuthMethod.PRIVATE_KEY_JWT:
        raise invalid_client(
            f"client_assertion: is missing, the client is registered for {method}",
            reason="client.method",
            hint=f"send {' and '.join(ASSERTION_PARAMETERS)}: the certificate alone does not authenticate this client",
            clause="RFC 7523 §2.2",
        )


def _require_qwac(presented: PresentedCertificate, client: Client) -> None:
    """Raise unless a QWAC came, or a client's own certificate for a client that authenticates by such."""
    method = client.token_endpoint_auth_method
    if presented.vouched is not Vouched.QWAC and method is not AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH:
        raise invalid_client(
            f"the certificate is a self-signed one of another client; this one is registered for {method}",
            reason="client.qwac_needed",
            hint="present the TPP's QWAC, or name the client that has registered the certificate",
            clause="RFC 8705 §2.2",
        )


def _require_same_tpp(presented: PresentedCertificate, client: Client) -> None:
    if presented.authorisation_number != client.authorisation_number:
        raise invalid_client(
            "the certificate's organizationIdentifier is not the authorisation number of the client's TPP"
            if presented.vouched is Vouched.QWAC
            else "the certificate was registered by a client of another TPP",
            reason="client.certificate_mismatch",
            hint="present a QWAC of the TPP that the client was registered for",
        )


def _active_tpp(client: Client, tpp: Tpp) -> Tpp:
    if tpp.status is not TppStatus.ACTIVE:
        raise invalid_client("the client's TPP is not active", reason="tpp.blocked", hint="ask the operator why")
    if client.status is not ClientStatus.ACTIVE:
        raise invalid_client("the client is not active", reason="client.blocked", hint="ask the operator why")
    return tpp

"""Authlib's authorization server, narrowed to what this one allows (RFC 6749 §4, RFC 7009, RFC 7662, RFC 8705).

Authlib dispatches grants and orders their checks. What it leaves loose is closed here: parameters come from the body
only, PKCE is required, a code is claimed in the transaction that keeps its tokens, no client goes unauthenticated.
Authlib is published without types, hence each `ignore[misc]` on a class made from one of its.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    BaseGrant,
    ClientCredentialsGrant,
    OAuth2Payload,
    RefreshTokenGrant,
    TokenEndpointMixin,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from gateway.oauth.ciba.reading import require_registered
from gateway.oauth.ciba.refusals import already_redeemed
from gateway.oauth.code_challenge import require_verifier
from gateway.oauth.grant_management.model import SCOPES
from gateway.oauth.model import AccessToken, AuthorizationCode, RefreshToken
from gateway.oauth.rar.refusals import PARAMETER as DETAILS
from gateway.oauth.rar.refusals import invalid_details
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_grant, invalid_scope, shown
from gateway.oauth.scope import narrower_scope, scope_values
from gateway.oauth.tokens import Holder, Tokens
from gateway.register.model import GrantType

if TYPE_CHECKING:
    from chassis.serving.straight_way import Answer
    from gateway.oauth.arrival import PresentedCertificate
    from gateway.oauth.ciba.service import Backchannel
    from gateway.oauth.clients.authentication import AuthenticatedClient, ClientAuthentication
    from gateway.oauth.dpop.key_binding import KeyBinding, Proofs
    from gateway.oauth.parameters import Parameters

REVOCATION: Final = RevocationEndpoint.ENDPOINT_NAME
INTROSPECTION: Final = IntrospectionEndpoint.ENDPOINT_NAME
# One for Authlib, which would try several one after the other: which it is, the client has registered.
_REGISTERED: Final = "registered"
_AUTH_METHODS: Final = [_REGISTERED]
_Answer = tuple[int, dict[str, object], list[tuple[str, str]]]
_NEEDED: Final = {
    "authorization_code": ("code", "redirect_uri", "code_verifier"),
    "refresh_token": ("refresh_token",),
    "client_credentials": (),
    GrantType.CIBA.value: ("auth_req_id",),
}


class CertifiedRequest(OAuth2Request):  # type: ignore[misc]
    """A POST with its parameters, read strictly, the certificate it came with, and its `DPoP` fields."""

    def __init__(self, uri: str, parameters: Parameters, presented: PresentedCertificate, proofs: Proofs) -> None:
        super().__init__("POST", uri)
        self.parameters = parameters
        self.presented = presented
        self.proofs = proofs
        self.payload = _BodyPayload(parameters)

    @property
    def form(self) -> dict[str, str]:
        """Return the body's parameters (Authlib asks)."""
        return dict(self.parameters.values)


class _BodyPayload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, parameters: Parameters) -> None:
        self._values = dict(parameters.values)

    @property
    def data(self) -> dict[str, str]:
        return self._values

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._values.items()}


class OAuthProtocol(AuthorizationServer):  # type: ignore[misc]
    """The token, introspection and revocation endpoints."""

    def __init__(
        self, *, tokens: Tokens, keys: KeyBinding, clients: ClientAuthentication, backchannel: Backchannel, issuer: str
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.keys = keys
        self.issuer = issuer
        self.backchannel = backchannel
        self._clients = clients
        self.register_client_auth_method(_REGISTERED, lambda _query_client, request: self.authenticated(request))
        self.register_grant(_CodeGrant, [_require_code_verifier])
        self.register_grant(_RefreshGrant)
        self.register_grant(_ClientGrant)
        self.register_grant(_BackchannelGrant)
        self.register_endpoint(_Introspection)
        self.register_endpoint(_Revocation)

    def authenticated(self, request: CertifiedRequest) -> AuthenticatedClient:
        """Return the client that a request names and proves; raises `OAuthRefused`."""
        return self._clients.authenticated(request.parameters, request.presented)

    def token_response(self, request: CertifiedRequest) -> Answer:
        """Answer a token request; raises `OAuthRefused`."""
        _require_grant_parameters(request.parameters)
        return self.create_token_response(request)  # type: ignore[no-any-return]

    def endpoint_response(self, name: str, request: CertifiedRequest) -> Answer:
        """Answer an introspection or revocation request; raises `OAuthRefused`."""
        request.parameters.require("token")
        return self.create_endpoint_response(name, request)  # type: ignore[no-any-return]

    def query_client(self, client_id: str) -> None:
        """Find no client by its id alone: only `authenticated`, which asks for proof, lets one in."""

    def create_oauth2_request(self, request: CertifiedRequest) -> CertifiedRequest:
        """Return the request as it is (Authlib asks)."""
        return request

    def handle_response(self, status: int, body: dict[str, object], _headers: list[tuple[str, str]]) -> Answer:
        """Return the answer (Authlib asks); its headers are those of every JSON that nobody may keep."""
        return HTTPStatus(status), body

    def handle_error_response(self, _request: CertifiedRequest, error: OAuth2Error) -> NoReturn:
        """Turn Authlib's errors into ours, so that all of them are rendered in one place."""
        description = shown(error.get_error_description() or error.error)
        refusal = Refusal(
            error=error.error, description=description, reason=f"oauth.{error.error}", hint=description, clause="RFC 6749 §5.2"
        )
        raise OAuthRefused(refusal) from error

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody (Authlib asks)."""


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = _AUTH_METHODS

    def query_authorization_code(self, secret: str, client: AuthenticatedClient) -> AuthorizationCode:
        code: AuthorizationCode = self.server.tokens.redeemable_code(secret, client)
        if self.request.parameters.get("redirect_uri") != code.redirect_uri:
            raise invalid_grant(
                "redirect_uri: is not the one of the authorization request",
                reason="grant.redirect_uri",
                hint="send the same redirect_uri as in the authorization request, the same in every character",
                clause="RFC 6749 §4.1.3",
            )
        return code

    def create_token_response(self) -> _Answer:
        wanted = self.request.parameters.get(DETAILS)
        answer = self.server.tokens.redeem(self.request.authorization_code, _holder(self), wanted)
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def _require_code_verifier(grant: AuthorizationCodeGrant) -> None:
    """Extend the code grant by PKCE; Authlib's own extension makes it optional for authenticated clients."""

    def require(checked: AuthorizationCodeGrant, _result: object) -> None:
        require_verifier(checked.request.parameters, checked.request.authorization_code.code_challenge)

    grant.register_hook("after_validate_token_request", require)


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = _AUTH_METHODS

    def _validate_request_token(self, client: AuthenticatedClient) -> RefreshToken:
        refresh: RefreshToken = self.server.tokens.usable_refresh_token(
            self.request.parameters.require("refresh_token"), client
        )
        return refresh

    def _validate_token_scope(self, token: RefreshToken) -> None:
        narrower_scope(token.scope, self.request.parameters.get("scope"))

    def create_token_response(self) -> _Answer:
        wanted = self.request.parameters.get(DETAILS)
        scope = self.request.parameters.get("scope")
        answer = self.server.tokens.refresh(self.request.refresh_token, _holder(self), wanted, scope=scope)
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class _ClientGrant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = _AUTH_METHODS

    def validate_requested_scope(self) -> None:
        if self.request.parameters.get(DETAILS) is not None:
            raise invalid_details("$", "is given to nobody alone: send the PSU to /authorize with it", clause="RFC 9396 §6")
        if not set(scope_values(self._scope())) <= SCOPES:
            raise invalid_scope(
                f"scope: a client alone is given {' and '.join(sorted(SCOPES))}, and nothing else",
                reason="oauth.scope",
                hint="a scope like AIS:<consentId> needs the PSU's authorization: use the authorization code grant",
            )

    def create_token_response(self) -> _Answer:
        return 200, self.server.tokens.for_client(_holder(self), self._scope()), self.TOKEN_RESPONSE_HEADER

    def _scope(self) -> str:
        return self.request.parameters.get("scope") or ""


class _BackchannelGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    GRANT_TYPE: ClassVar = GrantType.CIBA.value
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = _AUTH_METHODS

    def validate_token_request(self) -> None:
        client: AuthenticatedClient = self.authenticate_token_endpoint_client()
        require_registered(client.client)
        self.request.client = client
        auth_req_id = self.request.parameters.require("auth_req_id")
        self.request.authorization_code = self.server.backchannel.redeemable(auth_req_id, client.client)

    def create_token_response(self) -> _Answer:
        try:
            answer = self.server.tokens.redeem(self.request.authorization_code, _holder(self))
        except OAuthRefused as refused:
            # Another poll of this client's has come first, at the same moment: what it was given lives on.
            raise (already_redeemed() if refused.refusal.reason == "grant.code_unknown" else refused) from refused
        self.server.backchannel.note_redeemed(self.request.authorization_code)
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS: ClassVar = _AUTH_METHODS

    def check_params(self, _request: CertifiedRequest, _client: AuthenticatedClient) -> None:
        """Ignore token_type_hint: tokens are found without it (RFC 7662 §2.1)."""

    def query_token(self, secret: str, _hint: str | None) -> AccessToken | RefreshToken | None:
        return self.server.tokens.find(secret)  # type: ignore[no-any-return]

    def check_permission(self, token: AccessToken | RefreshToken, client: AuthenticatedClient, _request: object) -> bool:
        return token.client_id == client.client_id

    def create_introspection_payload(self, token: AccessToken | RefreshToken | None) -> dict[str, object]:
        if token is None or not self.server.tokens.is_active(token):
            return {"active": False}
        return {
            "active": True,
            "iss": self.server.issuer,
            "client_id": token.client_id,
            "exp": int(token.expires_at.timestamp()),
            "iat": int(token.issued_at.timestamp()),
            **({"scope": token.scope} if token.scope else {}),
            **self.server.tokens.told_of(token.grant_id, token.scope),
            **({"token_type": token.token_type, "cnf": token.confirmation} if isinstance(token, AccessToken) else {}),
        }


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS: ClassVar = _AUTH_METHODS

    def authenticate_token(self, request: CertifiedRequest, client: AuthenticatedClient) -> AccessToken | RefreshToken | None:
        token: AccessToken | RefreshToken | None = self.server.tokens.find(request.parameters.require("token"))
        if token is not None and token.client_id != client.client_id:
            raise invalid_grant(
                "token: was given to another client",
                reason="token.other_client",
                hint="a token is revoked by the client that it was given to",
                clause="RFC 7009 §2.1",
            )
        return token

    def revoke_token(self, token: AccessToken | RefreshToken, _request: CertifiedRequest) -> None:
        self.server.tokens.revoke(token)


def _holder(grant: BaseGrant) -> Holder:
    """Return who gets the token; the last check of all, so that a grant outlives a proof that was no good."""
    request: CertifiedRequest = grant.request
    jkt = grant.server.keys.key_of(request.proofs, request.client.client, address=request.uri)
    return Holder(client=request.client, certificate=request.presented.certificate, jkt=jkt)


def _require_grant_parameters(parameters: Parameters) -> None:
    grant_type = parameters.require("grant_type")
    if grant_type not in _NEEDED:
        raise OAuthRefused(
            Refusal(
                error="unsupported_grant_type",
                description=f"grant_type: {shown(grant_type)} is not one of {', '.join(_NEEDED)}",
                reason="oauth.grant_type",
                hint="see grant_types_supported in /.well-known/oauth-authorization-server",
                clause="RFC 6749 §5.2",
                quoted=shown(grant_type),
            )
        )
    for name in _NEEDED[grant_type]:
        parameters.require(name)

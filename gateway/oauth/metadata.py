"""What the authorization server says about itself (RFC 8414 §2, RFC 8705 §3.3 and §5, RFC 9126 §5, RFC 9207 §3).

Only what is true here is said: there is no OpenID Connect.
"""

from __future__ import annotations

from typing import Final

from gateway.dpop.proof import ALGS
from gateway.oauth.authorization_request import RESPONSE_TYPE
from gateway.oauth.authorization_response import ResponseMode
from gateway.oauth.ciba.model import BC_AUTHORIZE_PATH
from gateway.oauth.code_challenge import METHOD
from gateway.oauth.grant_management.model import GRANTS_PATH, SCOPES, GrantAction
from gateway.oauth.jose.algorithms import VERIFIED_NAMES
from gateway.oauth.jose.endpoint import JWKS_PATH
from gateway.oauth.rar.model import DetailType
from gateway.oauth.scope import ACCOUNTS_SCOPE
from gateway.register.model import AuthMethod, DeliveryMode, GrantType, SigningAlg

REGISTER_PATH: Final = "/register"
METADATA_PATH: Final = "/.well-known/oauth-authorization-server"
AUTHORIZE_PATH: Final = "/authorize"
TOKEN_PATH: Final = "/token"  # noqa: S105 - a path
PAR_PATH: Final = "/par"
INTROSPECT_PATH: Final = "/introspect"
REVOKE_PATH: Final = "/revoke"
_AUTHENTICATED: Final = ("token", "introspection", "revocation")


def server_metadata(*, issuer: str, edge_url: str) -> dict[str, object]:
    """Return the metadata of the server whose browsers come to `issuer` and whose TPPs come to `edge_url`."""
    endpoints = _endpoints(edge_url)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}{AUTHORIZE_PATH}",
        **endpoints,
        "grant_management_endpoint": f"{edge_url}{GRANTS_PATH}",
        "jwks_uri": f"{issuer}{JWKS_PATH}",
        # The endpoints above are the mutual-TLS ones already; a client that looks for aliases first finds the same.
        "mtls_endpoint_aliases": endpoints,
        **_REQUESTS,
        **_AUTHENTICATION,
        **_GRANTS,
    }


def _endpoints(edge_url: str) -> dict[str, str]:
    """Return where TPPs call."""
    return {
        "token_endpoint": f"{edge_url}{TOKEN_PATH}",
        "pushed_authorization_request_endpoint": f"{edge_url}{PAR_PATH}",
        "introspection_endpoint": f"{edge_url}{INTROSPECT_PATH}",
        "revocation_endpoint": f"{edge_url}{REVOKE_PATH}",
        "backchannel_authentication_endpoint": f"{edge_url}{BC_AUTHORIZE_PATH}",
        "registration_endpoint": f"{edge_url}{REGISTER_PATH}",
    }


_METHODS: Final = [method.value for method in AuthMethod]
_SIGNED: Final = [algorithm.value for algorithm in SigningAlg]
_VERIFIED: Final = list(VERIFIED_NAMES)
# Authorization requests and the answers to them.
_REQUESTS: Final = {
    "response_types_supported": [RESPONSE_TYPE],
    "response_modes_supported": [mode.value for mode in ResponseMode],
    "code_challenge_methods_supported": [METHOD],
    "authorization_response_iss_parameter_supported": True,
    "authorization_signing_alg_values_supported": _SIGNED,
    "request_object_signing_alg_values_supported": _VERIFIED,
    # Clients that sign their requests are held to it one by one.
    "require_signed_request_object": False,
    # Clients of the profile berlin may do without; those of FAPI 2.0 are held to it one by one.
    "require_pushed_authorization_requests": False,
    "authorization_details_types_supported": [type_.value for type_ in DetailType],
    "backchannel_token_delivery_modes_supported": [mode.value for mode in DeliveryMode],
    "backchannel_user_code_parameter_supported": False,
    "backchannel_authentication_request_signing_alg_values_supported": _VERIFIED,
}
# How clients prove themselves, and what tokens are bound to.
_AUTHENTICATION: Final = {
    **{f"{endpoint}_endpoint_auth_methods_supported": _METHODS for endpoint in _AUTHENTICATED},
    **{f"{endpoint}_endpoint_auth_signing_alg_values_supported": _VERIFIED for endpoint in _AUTHENTICATED},
    "tls_client_certificate_bound_access_tokens": True,
    "dpop_signing_alg_values_supported": ALGS.split(" "),
}
_GRANTS: Final = {
    # Beside these, AIS:<consentId>, PIS:<paymentId> and PIIS:<consentId>, which name what the TPP has made at the bank.
    "scopes_supported": [ACCOUNTS_SCOPE, *sorted(SCOPES)],
    "grant_types_supported": [grant.value for grant in GrantType],
    "grant_management_actions_supported": ["query", "revoke", *(action.value for action in GrantAction)],
    "grant_management_action_required": False,
    "introspection_signing_alg_values_supported": _SIGNED,
}

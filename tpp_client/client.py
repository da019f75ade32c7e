"""How a TPP's OAuth client has registered to speak, as `client.json` tells it by the names of RFC 7591 and those after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.documents import Document

BERLIN, MESSAGE_SIGNING = "berlin", "fapi2-message-signing"
PRIVATE_KEY_JWT: Final = "private_key_jwt"
SELF_SIGNED: Final = "self_signed_tls_client_auth"
PING: Final = "ping"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTraits:
    """What its registration makes of a client; `jwks` are the public keys that the bank knows, None where it fetches them.

    `delivery_mode` is how it hears that a PSU has decided (CIBA Core §4), None where it has none asked.
    """

    profile: str = BERLIN
    auth_method: str = "tls_client_auth"
    require_signed_request_object: bool = False
    authorization_signed_response_alg: str | None = None
    introspection_signed_response_alg: str | None = None
    dpop_bound_access_tokens: bool = False
    delivery_mode: str | None = None
    notification_endpoint: str | None = None
    backchannel_request_alg: str | None = None
    jwks: Mapping[str, Any] | None = field(default=None, hash=False, repr=False)

    @property
    def pushes_requests(self) -> bool:
        """Whether its authorization requests have to be pushed (FAPI 2.0 SP §5.3.2.2)."""
        return self.profile != BERLIN

    @property
    def signs_to_authenticate(self) -> bool:
        """Whether it says who it is by signing (RFC 7523 §3)."""
        return self.auth_method == PRIVATE_KEY_JWT

    @property
    def has_own_certificate(self) -> bool:
        """Whether it says who it is by a certificate of its own making (RFC 8705 §2.2)."""
        return self.auth_method == SELF_SIGNED

    @property
    def signs_requests(self) -> bool:
        """Whether what it asks for has to be signed (FAPI 2.0 MS §5.3, RFC 9101 §10.5)."""
        return self.require_signed_request_object or self.profile == MESSAGE_SIGNING

    @property
    def signs_backchannel_requests(self) -> bool:
        """Whether what it has a PSU asked for has to be signed (CIBA Core §4, §7.1.1)."""
        return self.signs_requests or self.backchannel_request_alg is not None

    @property
    def wants_signed_answers(self) -> bool:
        """Whether it asks for answers that the bank has signed (FAPI 2.0 MS §5.4, JARM)."""
        return self.authorization_signed_response_alg is not None or self.profile == MESSAGE_SIGNING

    @property
    def wants_signed_introspection(self) -> bool:
        """Whether it asks for introspection that the bank has signed (FAPI 2.0 MS §5.5, RFC 9701)."""
        return self.introspection_signed_response_alg is not None or self.profile == MESSAGE_SIGNING

    @property
    def needs_key(self) -> bool:
        """Whether it can do nothing without a key of its own."""
        return self.signs_to_authenticate or self.signs_backchannel_requests


def read_traits(client: Document) -> ClientTraits:
    """Read them from `client.json`; raises `UnexpectedResponse`."""
    return ClientTraits(
        profile=client.text("profile"),
        auth_method=client.optional_text("token_endpoint_auth_method") or "tls_client_auth",
        require_signed_request_object=client.optional_flag("require_signed_request_object"),
        authorization_signed_response_alg=client.optional_text("authorization_signed_response_alg"),
        introspection_signed_response_alg=client.optional_text("introspection_signed_response_alg"),
        dpop_bound_access_tokens=client.optional_flag("dpop_bound_access_tokens"),
        delivery_mode=client.optional_text("backchannel_token_delivery_mode"),
        notification_endpoint=client.optional_text("backchannel_client_notification_endpoint"),
        backchannel_request_alg=client.optional_text("backchannel_authentication_request_signing_alg"),
        jwks=client.child("jwks").fields if "jwks" in client else None,
    )

"""A TPP is the firm, known by its authorisation number; a client is one OAuth registration of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.roles import PspRole


class TppStatus(StrEnum):
    """Whether the operator lets a TPP in."""

    ACTIVE = "active"
    BLOCKED = "blocked"


class ClientStatus(StrEnum):
    """Whether a client may be used."""

    ACTIVE = "active"
    BLOCKED = "blocked"


class ClientProfile(StrEnum):
    """The security profile that a client speaks, from the least strict on."""

    BERLIN = "berlin"  # OAuth approach of BG IG 1.3.8 §13
    FAPI2 = "fapi2"  # FAPI 2.0 Security Profile
    FAPI2_MESSAGE_SIGNING = "fapi2-message-signing"  # FAPI 2.0 Message Signing, on top of the former

    @property
    def is_fapi(self) -> bool:
        """Whether the rules of the FAPI 2.0 Security Profile hold."""
        return self is not ClientProfile.BERLIN

    @property
    def pushes_requests(self) -> bool:
        """Whether its authorization requests have to be pushed first (FAPI 2.0 SP §5.3.2.2)."""
        return self.is_fapi

    @property
    def signs_messages(self) -> bool:
        """Whether its requests and the answers to them are signed (FAPI 2.0 MS §5.3, §5.4)."""
        return self is ClientProfile.FAPI2_MESSAGE_SIGNING


class AuthMethod(StrEnum):
    """How a client authenticates, on top of the QWAC that says which TPP is calling."""

    TLS_CLIENT_AUTH = "tls_client_auth"  # RFC 8705 §2.1
    SELF_SIGNED_TLS_CLIENT_AUTH = "self_signed_tls_client_auth"  # RFC 8705 §2.2
    PRIVATE_KEY_JWT = "private_key_jwt"  # RFC 7523 §3, as FAPI 2.0 SP §5.3.2.1 narrows it

    @property
    def needs_keys(self) -> bool:
        """Whether it is by the client's registered keys."""
        return self is not AuthMethod.TLS_CLIENT_AUTH


class GrantType(StrEnum):
    """What a client may take to the token endpoint."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a name
    CLIENT_CREDENTIALS = "client_credentials"
    CIBA = "urn:openid:params:grant-type:ciba"


# RFC 9864 §2.2 names in full what EdDSA on Ed25519 is; FAPI 2.0 SP §5.4.1 allows it as soon as it is registered, which it is.
ED25519: Final = "Ed25519"


class SigningAlg(StrEnum):
    """What may sign anything here (FAPI 2.0 SP §5.4.1): EdDSA with Ed25519 only."""

    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"

    @classmethod
    def _missing_(cls, value: object) -> SigningAlg | None:
        """Take the other name for what it is: a client that registers it is told this one (RFC 7591 §3.2.1)."""
        return cls.EDDSA if value == ED25519 else None


class ApplicationType(StrEnum):
    """Where a client runs: a native app listens on whatever port of the loopback interface is free (RFC 8252 §7.3)."""

    WEB = "web"
    NATIVE = "native"


class DeliveryMode(StrEnum):
    """How a client learns that a backchannel authentication is decided (CIBA Core §5)."""

    POLL = "poll"
    PING = "ping"


DEFAULT_GRANT_TYPES: Final = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpp:
    """A registered TPP. `nca_id` as in certificates, `DE-BAFIN`."""

    authorisation_number: str
    name: str
    country: str
    nca_id: str
    nca_name: str
    roles: frozenset[PspRole]
    status: TppStatus = TppStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered OAuth client of a TPP; confidential, always. Names as in RFC 7591, 8705, 9101, 9126, 9396, 9449, 9701, CIBA.

    `tls_client_auth_…`: at most one; none means that the organizationIdentifier says it. `jwks` holds public keys only.
    `authorization_details_types`: empty for any that the server knows.
    """

    client_id: str
    authorisation_number: str
    name: str
    redirect_uris: tuple[str, ...]
    profile: ClientProfile
    token_endpoint_auth_method: AuthMethod = AuthMethod.TLS_CLIENT_AUTH
    status: ClientStatus = ClientStatus.ACTIVE
    application_type: ApplicationType = ApplicationType.WEB
    token_endpoint_auth_signing_alg: SigningAlg | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    jwks: Mapping[str, Any] | None = field(default=None, hash=False)
    jwks_uri: str | None = None
    grant_types: tuple[GrantType, ...] = DEFAULT_GRANT_TYPES
    request_object_signing_alg: SigningAlg | None = None
    require_signed_request_object: bool = False
    authorization_signed_response_alg: SigningAlg | None = None
    introspection_signed_response_alg: SigningAlg | None = None
    dpop_bound_access_tokens: bool = False
    authorization_details_types: tuple[str, ...] = ()
    backchannel_token_delivery_mode: DeliveryMode | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: SigningAlg | None = None
    registration_access_token_sha256: str | None = field(default=None, repr=False)
    software_statement_issuer: str | None = None
    # Members that the operator made stricter, of a client that registered by itself (gateway.register.operator_terms).
    held_by_operator: tuple[str, ...] = ()

    @property
    def has_keys(self) -> bool:
        """Whether keys of its own are registered."""
        return self.jwks is not None or self.jwks_uri is not None

    @property
    def must_sign_requests(self) -> bool:
        """Whether its authorization requests have to be signed request objects (RFC 9101 §10.5, FAPI 2.0 MS §5.3)."""
        return self.require_signed_request_object or self.profile.signs_messages

    @property
    def must_sign_backchannel_requests(self) -> bool:
        """Whether its backchannel requests have to be signed: of who signs the others, or says so (CIBA Core §4)."""
        return self.must_sign_requests or self.backchannel_authentication_request_signing_alg is not None


class RegisterRefusal(Exception):
    """A change that the register doesn't take; `field` is what is wrong with the request."""

    def __init__(self, field: str, reason: str) -> None:
        """Say what is wrong and what would be right."""
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field, and what would be right."""

    field: str
    reason: str


class ClientRefused(RegisterRefusal):
    """A client that can't be registered so, with every fault."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Take the faults, one at least."""
        super().__init__(faults[0].field, "; ".join(f"{fault.field}: {fault.reason}" for fault in faults))
        self.faults = faults


class UnknownTpp(RegisterRefusal):
    """A client of a TPP that is not registered."""


class ClientOfAnotherTpp(RegisterRefusal):
    """A client id that another TPP holds."""


class TooManyClients(RegisterRefusal):
    """One client more than a TPP may have."""


class InvalidRedirectUri(RegisterRefusal):
    """An address that a browser with an authorization code must not be sent to."""

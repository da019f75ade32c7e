"""What the gateway says about a call, read once into a frozen type (docs/architecture.md §3.1, BG IG 1.3.8 §4.1).

These headers are trusted because only `gateway.internal` can connect and it strips the client's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.errors import CertificateMissing
from bank_backend.headers import read_tpp_headers, read_x_request_id
from bank_backend.leniency import leniency_in_hand
from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.ids import ClientId, PsuId, RequestId, TenantId
from psd2.roles import PspRole, UnknownRole, read_roles

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

_NARROWED: Final = "AIS."


class Incoming(Protocol):
    """The part of a web request that this module reads."""

    @property
    def headers(self) -> Headers:
        """The request's headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TppCall:
    """Who calls, with what, on whose behalf. `scope` holds the token's scope values, empty without a token.

    From `psu_ip_address` on it is what the TPP says of the PSU and wishes for itself (`bank_backend.headers`).
    """

    tenant: TenantId
    roles: frozenset[PspRole]
    client: ClientId | None
    scope: frozenset[str]
    subject: PsuId | None
    request_id: RequestId
    x_request_id: str
    token_waived: bool = False
    psu_ip_address: str | None = None
    psu_ip_port: int | None = None
    psu_accept: str | None = None
    psu_accept_charset: str | None = None
    psu_accept_encoding: str | None = None
    psu_accept_language: str | None = None
    psu_user_agent: str | None = None
    psu_http_method: str | None = None
    psu_device_id: str | None = None
    psu_geo_location: str | None = None
    psu_id: str | None = None
    psu_id_type: str | None = None
    psu_corporate_id: str | None = None
    psu_corporate_id_type: str | None = None
    redirect_preferred: bool | None = None
    decoupled_preferred: bool | None = None
    explicit_authorisation_preferred: bool = False
    rejection_no_funds_preferred: bool = False
    redirect_uri: str | None = None
    nok_redirect_uri: str | None = None
    notification_uri: str | None = None
    notification_content: frozenset[str] = frozenset()
    brand_logging: str | None = None

    @property
    def psu_present(self) -> bool:
        """Whether the PSU asked for this itself: the TPP then sends the PSU's address (BG IG §6.5)."""
        return self.psu_ip_address is not None

    @property
    def has_token(self) -> bool:
        """Whether an access token came with the call; the gateway has judged it then."""
        return self.client is not None

    @property
    def narrowed_to(self) -> frozenset[str] | None:
        """The kinds of account data that the token is for, where its client wanted less than the consent (`AIS.balances`)."""
        kinds = frozenset(value.removeprefix(_NARROWED) for value in self.scope if value.startswith(_NARROWED))
        return kinds or None

    def is_granted(self, scope: str) -> bool:
        """Whether the access token holds this scope value, or the bank does without a token and none came."""
        return scope in self.scope or self.token_waived


def tpp_call(request: Incoming) -> TppCall:
    """Read a call to a Berlin Group resource; raises `FormatError` or `CertificateMissing`."""
    headers = request.headers
    return TppCall(
        tenant=calling_tenant(request),
        roles=_roles(headers.get("X-Sandbox-Roles", "")),
        client=ClientId(headers["X-Sandbox-Client"]) if "X-Sandbox-Client" in headers else None,
        scope=frozenset(headers.get("X-Sandbox-Scope", "").split()),
        subject=PsuId(headers["X-Sandbox-Subject"]) if "X-Sandbox-Subject" in headers else None,
        request_id=RequestId(headers.get("X-Sandbox-Request", "")),
        token_waived="X-Sandbox-Client" not in headers and leniency_in_hand().waives_token,
        x_request_id=read_x_request_id(headers),
        **read_tpp_headers(headers),
    )


def calling_tenant(request: Incoming) -> TenantId:
    """Return the tenant of the TPP that the gateway vouches for; raises `CertificateMissing`."""
    try:
        return _tenant(request.headers.get("X-Sandbox-Tpp", ""))
    except InvalidAuthorisationNumber:
        text = "the gateway named no registered TPP for this request: present the QWAC of a registered TPP"
        raise CertificateMissing(text) from None


# Each call asks four times, on its way to its handler; what a text says does not change.
@lru_cache(maxsize=1024)
def _tenant(number: str) -> TenantId:
    return TenantId(str(AuthorisationNumber.parse(number)))


@lru_cache(maxsize=64)
def _roles(text: str) -> frozenset[PspRole]:
    try:
        return read_roles(text)
    except UnknownRole:
        # A role that this revision doesn't know grants nothing.
        return frozenset()

"""What the gateway says about a call, read once into a frozen type (docs/architecture.md §3.1, BG IG 1.3.8 §4.1).

These headers are trusted because only `gateway.internal` can connect and it strips the client's own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from bank_backend.errors import CertificateMissing, FormatError
from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.ids import ClientId, PsuId, RequestId, TenantId
from psd2.roles import PspRole, UnknownRole, read_roles

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers


class Incoming(Protocol):
    """The part of a web request that this module reads."""

    @property
    def headers(self) -> Headers:
        """The request's headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TppCall:
    """Who calls, with what, on whose behalf. `scope` holds the token's scope values, empty without a token."""

    tenant: TenantId
    roles: frozenset[PspRole]
    client: ClientId | None
    scope: frozenset[str]
    subject: PsuId | None
    request_id: RequestId
    x_request_id: str
    psu_ip_address: str | None

    @property
    def psu_present(self) -> bool:
        """Whether the PSU asked for this itself: the TPP then sends the PSU's address (BG IG §6.5)."""
        return self.psu_ip_address is not None


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
        x_request_id=_x_request_id(headers),
        psu_ip_address=_psu_ip_address(headers),
    )


def calling_tenant(request: Incoming) -> TenantId:
    """Return the tenant of the TPP that the gateway vouches for; raises `CertificateMissing`."""
    try:
        return TenantId(str(AuthorisationNumber.parse(request.headers.get("X-Sandbox-Tpp", ""))))
    except InvalidAuthorisationNumber:
        text = "the gateway named no registered TPP for this request: present the QWAC of a registered TPP"
        raise CertificateMissing(text) from None


def _roles(text: str) -> frozenset[PspRole]:
    try:
        return read_roles(text)
    except UnknownRole:
        # A role that this revision doesn't know grants nothing.
        return frozenset()


def _x_request_id(headers: Headers) -> str:
    values = headers.getlist("X-Request-ID")
    if len(values) != 1:
        text = f"the header X-Request-ID is given {len(values)} times: send it once, with a new UUID for each request"
        raise FormatError(text, path="X-Request-ID")
    try:
        parsed = uuid.UUID(values[0])
    except ValueError:
        parsed = None
    # uuid.UUID also takes braces, URNs and bare hex; the specification's format is the 36 characters only.
    if parsed is None or str(parsed) != values[0].lower():
        text = f"X-Request-ID {values[0][:40]!r} is no UUID: write one such as 99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
        raise FormatError(text, path="X-Request-ID")
    return values[0]


def _psu_ip_address(headers: Headers) -> str | None:
    text = headers.get("PSU-IP-Address")
    if text is None:
        return None
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        message = f"PSU-IP-Address {text[:40]!r} is no IP address: write one such as 192.0.2.7 or 2001:db8::7"
        raise FormatError(message, path="PSU-IP-Address") from None

"""What every Berlin Group call shares: the bank's address, X-Request-ID, the PSU's presence, Consent-ID (BG IG §4.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from psd2.ids import new_uuid
from tpp_client.errors import UnexpectedResponse
from tpp_client.wire import HttpRequest, json_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tpp_client.wire import HttpResponse, Transport

# Where the PSU sits, as its browser would tell: this simulator runs on the same machine.
LOOPBACK = "127.0.0.1"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Xs2a:
    """The bank's XS2A interface as one TPP sees it.

    `psu_ip_address` says that the PSU is there and asks; None says that the TPP asks by itself, and then
    `frequencyPerDay` counts.
    """

    transport: Transport = field(repr=False)
    edge: str
    psu_ip_address: str | None = LOOPBACK
    new_request_id: Callable[[], str] = field(default=new_uuid, repr=False)

    def get(self, path: str, *, access: Access | None = None, headers: Mapping[str, str] = NO_HEADERS) -> HttpResponse:
        """Read a resource by its path, or by a full link that the bank gave."""
        return self.transport.send(HttpRequest(method="GET", url=self._url(path), headers=self._headers(access) | {**headers}))

    def post(
        self, path: str, content: object, *, access: Access | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> HttpResponse:
        """Make a resource."""
        return self.transport.send(json_request("POST", self._url(path), content, self._headers(access) | {**headers}))

    def put(self, path: str, content: object, *, headers: Mapping[str, str] = NO_HEADERS) -> HttpResponse:
        """Further or replace a resource."""
        return self.transport.send(json_request("PUT", self._url(path), content, self._headers(None) | {**headers}))

    def delete(self, path: str, *, access: Access | None = None, headers: Mapping[str, str] = NO_HEADERS) -> HttpResponse:
        """Delete a resource."""
        named = self._headers(access) | {**headers}
        return self.transport.send(HttpRequest(method="DELETE", url=self._url(path), headers=named))

    def _url(self, path: str) -> str:
        """Return the address of a path or link; a link elsewhere is refused, for a token would go with it."""
        url = urljoin(self.edge, path)
        if urlsplit(url)[:2] != urlsplit(self.edge)[:2]:
            msg = f"the bank's link {url} leads away from {self.edge}: it is not followed"
            raise UnexpectedResponse(msg)
        return url

    def _headers(self, access: Access | None) -> dict[str, str]:
        headers = {"X-Request-ID": self.new_request_id(), "Accept": "application/json"}
        if self.psu_ip_address is not None:
            headers["PSU-IP-Address"] = self.psu_ip_address
        return headers | (access.headers if access else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The right to read: an access token, and the consent it stands for; banks without OAuth take the consent alone."""

    token: str | None = field(repr=False)
    consent_id: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry it (RFC 6750 §2.1, BG IG §6)."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return bearer | ({"Consent-ID": self.consent_id} if self.consent_id else {})

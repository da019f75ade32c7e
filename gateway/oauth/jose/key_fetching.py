"""Fetches a `jwks_uri`: over https, from public addresses or hosts that the operator names, without redirects (CWE-918)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from gateway.oauth.jose.key_set import MOST_BYTES, read_key_set
from gateway.oauth.jose.refusals import KeySetRefused
from gateway.trust.addresses import AddressRefused, read_location
from gateway.trust.fetching import FetchFailed, Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.trust.fetching import Fetched

DEADLINE_SECONDS: Final = 5.0
_HOW: Final = (
    f"it is asked over https, at a public address, without redirects, for {DEADLINE_SECONDS:.0f} s and "
    f"{MOST_BYTES} bytes at most"
)


class Fetching(Protocol):
    """Fetches over HTTP."""

    def fetch(self, order: Order) -> Fetched:
        """Return what came; raises `FetchFailed`."""


class KeysNotFetched(Exception):
    """No set of keys came; the message may be told to the client, `detail` is for the log alone.

    Whether an address inside exists, listens or answers is nothing that a client may find out by naming it.
    """

    def __init__(self, text: str, *, detail: str) -> None:
        super().__init__(text)
        self.detail = detail


class KeyFetcher:
    """Fetches sets of keys, and blocks while it does."""

    def __init__(
        self, *, public: Callable[[], Fetching], internal: Callable[[], Fetching], internal_hosts: frozenset[str]
    ) -> None:
        """Ask hosts that the operator names, `host:port`, through `internal`, which trusts the home's own CA."""
        self._public = public
        self._internal = internal
        self._internal_hosts = internal_hosts

    def fetch(self, url: str, *, party: str) -> str:
        """Return the JWK Set at an address that a TPP has named; raises `KeysNotFetched`."""
        try:
            text = self._body(url, party)
        except (AddressRefused, FetchFailed) as error:
            raise KeysNotFetched(f"jwks_uri gave nothing: {_HOW}", detail=str(error)) from error
        try:
            read_key_set(text)
        except KeySetRefused as error:
            raise KeysNotFetched(f"jwks_uri gave no usable keys: {error}", detail=str(error)) from error
        return text.decode("utf-8")

    def _body(self, url: str, party: str) -> bytes:
        location = read_location(url)
        if not location.is_encrypted:
            raise AddressRefused(f"{url} is not https")
        order = Order(
            url=url,
            deadline_seconds=DEADLINE_SECONDS,
            most_bytes=MOST_BYTES,
            internal_hosts=self._internal_hosts,
            headers={"Accept": "application/jwk-set+json, application/json"},
            most_redirects=0,
            party=party,
        )
        fetcher = self._internal if location.authority in self._internal_hosts else self._public
        return fetcher().fetch(order).body or b""

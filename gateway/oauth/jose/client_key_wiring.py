"""Wires what knows the clients' keys: for the authorization server, and for the edge, whose requests they sign."""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import TYPE_CHECKING, Final

from gateway.oauth.jose.client_keys import ClientKeys
from gateway.oauth.jose.key_fetching import KeyFetcher
from gateway.oauth.jose.store import SqlPublishedKeys
from gateway.oauth.lanes import Bounds, Lanes
from gateway.trust.fetching import Fetcher
from gateway.trust.names import Names

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import GatewaySettings
    from psd2.clock import Clock

_MOST_LOOK_UPS: Final = 32


def client_keys(settings: GatewaySettings, *, threads: int, engine: Engine, clock: Clock) -> ClientKeys:
    """Return them; of `threads` that ask for them so many may wait for addresses. What those give is kept for all processes."""
    calling = Calling(settings)
    source = KeyFetcher(public=calling.public, internal=calling.internal, internal_hosts=settings.client_hosts)
    return ClientKeys(store=SqlPublishedKeys(engine), source=source, lanes=Lanes(key_bounds(threads)), clock=clock)


def key_bounds(threads: int) -> Bounds:
    """Leave most of the threads that serve requests to those that wait for nobody's server."""
    overall = max(threads * 3 // 8, 1)
    return Bounds(overall=overall, each=max(overall // 2, 1), slow=max(overall // 3, 1))


class Calling:
    """What calls addresses that TPPs name; however many calls, names are looked up by one that bounds them."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._home = settings.home
        self._names = Names(most=_MOST_LOOK_UPS)

    def public(self) -> Fetcher:
        """Return what trusts the system's CAs."""
        return Fetcher(self._public_roots, names=self._names)

    @cached_property
    def _public_roots(self) -> ssl.SSLContext:
        return ssl.create_default_context()  # which takes longer than anything else about a call that is refused

    def internal(self) -> Fetcher:
        """Return what trusts the home's own root."""
        return Fetcher(ssl.create_default_context(cafile=self._home.trust_bundle), names=self._names)

"""Wires a TPP to its bank: identity from files, mutual TLS, a PSU that decides."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tpp_client.client import PING
from tpp_client.errors import IdentityUnusable
from tpp_client.identity import load_identity
from tpp_client.journeys.browser import BrowserPsu, loopback_redirect_uri
from tpp_client.journeys.narration import NarratedTransport
from tpp_client.journeys.stage import Backchannel, HeadlessPsu, Stage
from tpp_client.pings import PingEndpoint
from tpp_client.speaking import voice_of
from tpp_client.xs2a import Xs2a

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from psd2.clock import Clock
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.narration import Narrator
    from tpp_client.journeys.stage import AppInvitation
    from tpp_client.wire import Transport


def identity_at(home: Path, name: str, *, clock: Clock) -> TppIdentity:
    """Load the TPP of that name from a platform's folder; raises `IdentityUnusable`."""
    return load_identity(home / "certs" / "tpps" / name, clock=clock)


def backchannel_of(identity: TppIdentity, *, invite: Callable[[AppInvitation], None] | None = None) -> Backchannel:
    """Return how PSUs are asked in their bank app; raises `IdentityUnusable` where the client has not registered for that."""
    if identity.client.delivery_mode is None:
        msg = (
            f"the client of {identity.name} has not registered for asking PSUs without a browser (CIBA Core §4): "
            f"`sandbox tpp change-client {identity.name} … --ciba poll` does, with the options that it has now beside it"
        )
        raise IdentityUnusable(msg)
    endpoint = identity.client.notification_endpoint
    if identity.client.delivery_mode != PING or endpoint is None:
        return Backchannel(invite=invite)
    return Backchannel(invite=invite, ping=PingEndpoint(url=endpoint, credential=identity.listener))


def headless_stage(
    identity: TppIdentity,
    transport: Transport,
    *,
    psu: str,
    narrator: Narrator,
    clock: Clock,
    pause: Callable[[float], None] = time.sleep,
    backchannel: Backchannel | None = None,
) -> Stage:
    """Return a stage on which the sandbox decides for the PSU; `transport` is plain: what the client adds is added here.

    Raises `IdentityUnusable` where the client has to sign and can't.
    """
    voice = voice_of(identity, clock=clock)
    told = NarratedTransport(voice.over(transport), narrator)
    xs2a = Xs2a(transport=told, edge=identity.edge)
    return Stage(
        identity=identity,
        voice=voice,
        transport=told,
        xs2a=xs2a,
        psu=HeadlessPsu(xs2a=xs2a, psu=psu),
        narrator=narrator,
        clock=clock,
        redirect_uri=identity.redirect_uris[0],
        pause=pause,
        psu_id=psu,
        backchannel=backchannel,
    )


def browser_stage(
    identity: TppIdentity, transport: Transport, *, show: Callable[[str], None], narrator: Narrator, clock: Clock
) -> Stage:
    """Return a stage on which a person decides in a browser; raises `TppClientError` without a loopback redirect URI."""
    voice = voice_of(identity, clock=clock)
    told = NarratedTransport(voice.over(transport), narrator)
    redirect_uri = loopback_redirect_uri(identity.redirect_uris)
    return Stage(
        identity=identity,
        voice=voice,
        transport=told,
        xs2a=Xs2a(transport=told, edge=identity.edge),
        psu=BrowserPsu(redirect_uri=redirect_uri, show=show),
        narrator=narrator,
        clock=clock,
        redirect_uri=redirect_uri,
        pause=time.sleep,
    )

"""The PSU asked in its bank app, without a browser: the client waits for the decision (OpenID CIBA Core 1.0, FAPI-CIBA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psd2.ids import new_secret, new_uuid
from tpp_client.authorisations import authorisations_request, process_authorisations_response
from tpp_client.backchannel import Undecided
from tpp_client.errors import TppClientError, UnexpectedResponse
from tpp_client.journeys.endings import explained
from tpp_client.journeys.leading import decide_in_app
from tpp_client.journeys.personas import persona_named, read_personas
from tpp_client.journeys.stage import AppInvitation, require_bound
from tpp_client.ping_listener import PING_SECONDS, PingListener
from tpp_client.sandbox_api import bank_app_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tpp_client.backchannel import BackchannelRequest
    from tpp_client.discovery import ServerMetadata
    from tpp_client.journeys.stage import Awaiting, Stage
    from tpp_client.pings import PingEndpoint
    from tpp_client.tokens import Tokens

_MESSAGE_CHARACTERS = 5


@dataclass(frozen=True, slots=True)
class _Begun:
    """A request under way, and the message that the PSU sees with it."""

    request: BackchannelRequest
    message: str


def asked_in_app(stage: Stage, metadata: ServerMetadata, awaiting: Awaiting) -> Tokens:
    """Have the bank ask, let the PSU decide, fetch the tokens; raises `TppClientError`."""
    with explained(stage):
        if stage.backchannel is not None and stage.backchannel.ping is not None:
            tokens = _told_by_ping(stage, metadata, awaiting, stage.backchannel.ping)
        else:
            tokens = _found_by_polling(stage, metadata, awaiting)
    require_bound(stage, metadata, tokens)
    return tokens


def _found_by_polling(stage: Stage, metadata: ServerMetadata, awaiting: Awaiting) -> Tokens:
    begun = _ask(stage, metadata, awaiting)
    stage.narrator.step("Ask for the token before the PSU has decided", "CIBA Core §10.1, §11")
    if not isinstance(stage.voice.polled(stage.transport, metadata, begun.request, scope=awaiting.scope), Undecided):
        msg = "the bank has given a token before the PSU has decided"
        raise UnexpectedResponse(msg)
    _decide(stage, awaiting, begun)
    stage.narrator.step(f"Ask again every {begun.request.interval} s, as the bank wants it", "CIBA Core §7.3, §11")
    return _polled(stage, metadata, begun.request, scope=awaiting.scope)


def _told_by_ping(stage: Stage, metadata: ServerMetadata, awaiting: Awaiting, endpoint: PingEndpoint) -> Tokens:
    token = new_secret()
    with PingListener(endpoint, token) as listener:
        begun = _ask(stage, metadata, awaiting, notification_token=token)
        _decide(stage, awaiting, begun)
        stage.narrator.step(f"Wait at {endpoint.url} until the bank tells that the PSU has decided", "CIBA Core §10.2")
        # A request that nobody decides on is told of, too, once its time is up.
        seconds = begun.request.expires_in if _invites(stage) else 0
        listener.wait(begun.request.auth_req_id, seconds=PING_SECONDS + seconds)
    stage.narrator.fact("told", "of this request, by the token that we gave the bank for it")
    stage.narrator.step("Fetch the token", "CIBA Core §10.1")
    tokens = stage.voice.polled(stage.transport, metadata, begun.request, scope=awaiting.scope)
    if isinstance(tokens, Undecided):
        msg = "the bank has told that the PSU has decided, and says now that it has not"
        raise UnexpectedResponse(msg)
    return tokens


def _ask(stage: Stage, metadata: ServerMetadata, awaiting: Awaiting, *, notification_token: str | None = None) -> _Begun:
    signed = " by a request signed with the client's key" if stage.voice.traits.signs_backchannel_requests else ""
    stage.narrator.step(f"Have the bank ask the PSU in its app{signed}", "CIBA Core §7.1, FAPI-CIBA §5.2.3")
    message = new_uuid()[:_MESSAGE_CHARACTERS].upper()
    request = stage.voice.asks(
        stage.transport,
        metadata,
        scope=awaiting.scope,
        psu=_psu(stage),
        binding_message=message,
        notification_token=notification_token,
    )
    stage.narrator.fact("the PSU sees", f"{message}, here and in its app: it is this request that it decides on")
    return _Begun(request, message)


def _psu(stage: Stage) -> str:
    if stage.psu_id is None:
        msg = "whom the bank is to ask isn't known: without a browser, the TPP names the PSU (CIBA Core §7.1)"
        raise TppClientError(msg)
    return stage.psu_id


def _invites(stage: Stage) -> Callable[[AppInvitation], None] | None:
    return None if stage.backchannel is None else stage.backchannel.invite


def _decide(stage: Stage, awaiting: Awaiting, begun: _Begun) -> None:
    """Be the PSU, who decides on what it was asked last, or tell a person where to."""
    invite = _invites(stage)
    if invite is not None:
        persona = persona_named(read_personas(stage), _psu(stage))
        stage.narrator.step("Wait for a person to decide in the bank app", "CIBA Core §8")
        url = bank_app_url(stage.identity.issuer, stage.identity.authorisation_number)
        seconds = begun.request.expires_in
        invite(AppInvitation(url=url, psu=persona.psu, password=persona.password, message=begun.message, seconds=seconds))
        return
    stage.narrator.step("Be the PSU in its bank's app, as only a sandbox lets one", "")
    address = f"{awaiting.path}/authorisations"
    asked = process_authorisations_response(authorisations_request(stage.xs2a, address))
    if not asked:
        msg = f"{address} names no authorisation, where the PSU has just been asked for one"
        raise UnexpectedResponse(msg)
    decide_in_app(stage, f"{address}/{asked[-1]}", psu=_psu(stage))


def _polled(stage: Stage, metadata: ServerMetadata, begun: BackchannelRequest, *, scope: str) -> Tokens:
    """Poll at the interval that the bank wants, as long as its request lives; raises `TppClientError`."""
    interval, waited = begun.interval, 0
    while waited + interval <= begun.expires_in:
        stage.pause(interval)
        waited += interval
        answer = stage.voice.polled(stage.transport, metadata, begun, scope=scope)
        if not isinstance(answer, Undecided):
            return answer
        interval = answer.interval_after(interval)
        if answer.too_soon:
            stage.narrator.fact("too soon", f"every {interval} s from now on")
    msg = f"nobody has decided within the {begun.expires_in} s that the bank keeps the request"
    raise TppClientError(msg)

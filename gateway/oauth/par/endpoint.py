"""`POST /par`: what `/authorize` would judge is judged here, where the client itself hears of it (RFC 9126 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.dpop.key_binding import with_proven_key
from gateway.oauth.parameters import Parameters
from gateway.oauth.refusals import OAuthRefused, PageRefused, RedirectRefused, invalid_request
from gateway.register.service import RegisteredClient

if TYPE_CHECKING:
    from gateway.oauth.authorization import Authorization
    from gateway.oauth.clients.authentication import AuthenticatedClient
    from gateway.oauth.jose.request_object import RequestObjects
    from gateway.oauth.par.service import PushedRequests


class PushEndpoint:
    """Takes authorization requests from authenticated clients."""

    def __init__(self, *, authorization: Authorization, signed: RequestObjects, pushed: PushedRequests) -> None:
        self._authorization = authorization
        self._signed = signed
        self._pushed = pushed

    def push(self, parameters: Parameters, by: AuthenticatedClient, *, jkt: str | None = None) -> dict[str, object]:
        """Return the answer to a pushed request, which came with a proof by the key `jkt`; raises `OAuthRefused`."""
        if parameters.get("request_uri") is not None:
            raise invalid_request("request_uri", "is not taken here: it is what the answer gives", clause="RFC 9126 §2.1")
        client = by.client
        # What is judged is what was signed, where the client signs (RFC 9101 §6.3).
        asked = self._signed.effective(parameters, client)
        # The one that was authenticated, by whatever name it called itself.
        own = with_proven_key(Parameters({**asked.values, "client_id": client.client_id}, asked.repeated), jkt)
        try:
            self._authorization.judged(own, is_pushed=True, by=RegisteredClient(client, by.tpp))
        except (PageRefused, RedirectRefused) as refused:
            raise OAuthRefused(refused.refusal) from refused
        return self._pushed.push(own, client)

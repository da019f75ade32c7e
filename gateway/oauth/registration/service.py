"""Registers, tells, changes and deletes clients for the TPP that its QWAC names (RFC 7591 §3, RFC 7592 §2)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.configuration.changes import Precondition, PreconditionFailed
from gateway.configuration.tags import entity_tag
from gateway.oauth.model import secret_sha256
from gateway.oauth.refusals import OAuthRefused, invalid_client
from gateway.oauth.registration.refusals import changed_meanwhile, metadata_refused, too_many_clients
from gateway.register.client_rules import faults_of_client
from gateway.register.model import Client, ClientRefused, ClientStatus, TooManyClients, Tpp, TppStatus
from gateway.register.operator_terms import faults_of_loosening
from psd2.ids import new_secret, new_uuid

if TYPE_CHECKING:
    from gateway.oauth.registration.reading import Wish
    from gateway.register.service import Register

MOST_CLIENTS: Final = 50


@dataclass(frozen=True, slots=True)
class Registered:
    """A client with its TPP; `token` reads and changes the registration, and is told once."""

    client: Client
    tpp: Tpp
    token: str


class Registration:
    """Clients that register by themselves."""

    def __init__(self, register: Register) -> None:
        """Keep them where the others are."""
        self._register = register

    def tpp(self, authorisation_number: str) -> Tpp:
        """Return the TPP that may register; raises `OAuthRefused`."""
        tpp = self._register.tpp(authorisation_number)
        if tpp is None:
            hint = "register the TPP in the portal, or by `sandbox tpp register`, then its clients here"
            raise invalid_client("the TPP of the certificate is not registered", reason="tpp.unknown", hint=hint)
        if tpp.status is not TppStatus.ACTIVE:
            raise invalid_client("the TPP is not active", reason="tpp.blocked", hint="ask the operator why")
        return tpp

    def create(self, wish: Wish, tpp: Tpp) -> Registered:
        """Register a client; raises `OAuthRefused`."""
        token = new_secret()
        own = {"registration_access_token_sha256": secret_sha256(token), "software_statement_issuer": wish.issuer}
        client = wish.document.client(new_uuid(), tpp, **own)
        self._require_faultless(wish, client, tpp)
        try:
            self._register.save_client(client, most_of_tpp=MOST_CLIENTS)
        except TooManyClients as error:
            raise too_many_clients(MOST_CLIENTS) from error
        except ClientRefused as refused:
            raise metadata_refused(refused.faults) from refused
        return Registered(client, tpp, token)

    def standing(self, client_id: str, token: str | None, tpp: Tpp) -> Client:
        """Return the TPP's client whose registration the token opens; raises `OAuthRefused`, the same for every reason."""
        client = self._register.client(client_id)
        known = client.registration_access_token_sha256 if client is not None else None
        is_right = hmac.compare_digest(secret_sha256(token or ""), known or secret_sha256(new_secret()))
        if client is None or not is_right or client.authorisation_number != tpp.authorisation_number:
            raise _token_refused()
        if client.status is not ClientStatus.ACTIVE:
            raise invalid_client("the client is not active", reason="client.blocked", hint="ask the operator why")
        return client

    def replace(self, standing: Client, wish: Wish, token: str, tpp: Tpp) -> Registered:
        """Put what is asked for in the place of what was registered (RFC 7592 §2.2); raises `OAuthRefused`.

        What the operator has done to the client stands: it is neither let in again, brought back to life nor made less strict.
        """
        own = {
            "registration_access_token_sha256": standing.registration_access_token_sha256,
            "software_statement_issuer": wish.issuer,
            "status": standing.status,
            "held_by_operator": standing.held_by_operator,
        }
        client = wish.document.client(standing.client_id, tpp, **own)
        self._require_faultless(wish, client, tpp, standing=standing)
        try:
            self._register.save_client(client, Precondition(etags=frozenset({entity_tag(standing)})))
        except PreconditionFailed as error:
            raise changed_meanwhile() from error
        except ClientRefused as refused:
            raise metadata_refused(refused.faults) from refused
        return Registered(client, tpp, token)

    def delete(self, client: Client) -> None:
        """Delete the client; its tokens end with it."""
        self._register.delete_client(client.client_id)

    def _require_faultless(self, wish: Wish, client: Client, tpp: Tpp, *, standing: Client | None = None) -> None:
        """Raise `OAuthRefused` with all that is wrong, of whatever kind."""
        faults = [*wish.faults, *wish.document.faults(tpp, wish.unread), *faults_of_client(client, wish.unread)]
        more = [*self._register.faults_of_addresses(client, standing)]
        if standing is not None:
            more += faults_of_loosening(standing, client)
        faults += (fault for fault in more if fault.field not in wish.unread)
        if faults:
            raise metadata_refused(faults)


def _token_refused() -> OAuthRefused:
    refusal = invalid_client("", reason="", hint="").refusal
    return OAuthRefused(
        replace(
            refusal,
            error="invalid_token",
            description="the registration access token opens no client of that id and of this TPP",
            reason="registration.token",
            hint="send Authorization: Bearer with the registration_access_token that came with the client",
            clause="RFC 7592 §2",
            headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
        )
    )

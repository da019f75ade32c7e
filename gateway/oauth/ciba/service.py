"""Backchannel authentication: begun by the client, decided in the bank app, redeemed once (CIBA Core §7, §10, §11)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from gateway.oauth.authorization_refusals import GRANT_OF_ANOTHER_PSU
from gateway.oauth.bank import BankUnavailable, ResourceNotAwaiting, ResourceUnknown
from gateway.oauth.ciba.allowance import Asker
from gateway.oauth.ciba.bank import AskStatus, DecoupledNotOffered, NewAsk, PsuNotKnown
from gateway.oauth.ciba.model import INTERVAL_SECONDS, BackchannelRequest, PolledTooSoon
from gateway.oauth.ciba.reading import read_wanted
from gateway.oauth.ciba.refusals import (
    already_redeemed,
    bank_unavailable,
    denied,
    expired,
    not_offered,
    pending,
    resource_not_awaiting,
    resource_unknown,
    too_soon,
    unknown_request,
    unknown_user,
)
from gateway.oauth.grant_management.changing import changed_grant, whole_request
from gateway.oauth.model import AuthorizationCode, CodeAlreadyRedeemed, secret_sha256
from gateway.oauth.refusals import OAuthRefused
from gateway.oauth.scope import resource_of
from psd2.ids import new_secret, new_uuid

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.oauth.ciba.allowance import AskAllowance
    from gateway.oauth.ciba.bank import AskedPsu, BackchannelBank
    from gateway.oauth.ciba.ping import Pings
    from gateway.oauth.ciba.reading import Wanted
    from gateway.oauth.grant_management.changing import Grants
    from gateway.oauth.jose.request_object import RequestObjects
    from gateway.oauth.model import Lifetimes
    from gateway.oauth.parameters import Parameters
    from gateway.oauth.rar.resources import Resources
    from gateway.oauth.scope import BerlinScope
    from gateway.register.model import Client, Tpp
    from psd2.clock import Clock

SECRET_BYTES: Final = 32


class BackchannelStore(Protocol):
    """Where backchannel requests are kept."""

    def add(self, request: BackchannelRequest) -> None:
        """Keep a request."""

    def find(self, sha256: str) -> BackchannelRequest | None:
        """Return the request, or None."""

    def note_poll(self, request: BackchannelRequest, now: datetime) -> None:
        """Note a poll; raises `PolledTooSoon`, and lets the interval grow, within it."""


class CodeStore(Protocol):
    """Where the right to a request's tokens is kept, of which there is one."""

    def put_code(self, code: AuthorizationCode) -> None:
        """Keep a code in the place of an unredeemed one of the same request; raises `CodeAlreadyRedeemed`."""

    def has_redeemed_code(self, request_sha256: str) -> bool:
        """Tell whether the request was answered with a code that has been redeemed."""


class Backchannel:
    """Backchannel requests, from the client's wish to the right to its tokens."""

    def __init__(
        self,
        *,
        store: BackchannelStore,
        codes: CodeStore,
        bank: BackchannelBank,
        resources: Resources,
        grants: Grants,
        allowance: AskAllowance,
        pings: Pings,
        signed: RequestObjects,
        clock: Clock,
        lifetimes: Lifetimes,
        location: str,
    ) -> None:
        """Give tokens for the bank's interface at `location`."""
        self._store = store
        self._codes = codes
        self._bank = bank
        self._resources = resources
        self._grants = grants
        self._allowance = allowance
        self._pings = pings
        self._signed = signed
        self._clock = clock
        self._lifetimes = lifetimes
        self._location = location

    def begin(self, parameters: Parameters, client: Client, tpp: Tpp) -> dict[str, object]:
        """Have the PSU asked, and return the answer of CIBA Core §7.3; raises `OAuthRefused`."""
        most_seconds = int(self._lifetimes.authorization.total_seconds())
        # What is judged is what was signed, where the client signs (CIBA Core §7.1.1).
        asked_for = self._signed.effective(parameters, client)
        wanted = read_wanted(asked_for, client, tpp, location=self._location, most_seconds=most_seconds)
        wanted = self._whole(wanted, client)
        asker = Asker(client_id=client.client_id, authorisation_number=client.authorisation_number, psu=wanted.psu)
        self._allowance.take(asker)
        try:
            scope, asked = self._asked(wanted, client.authorisation_number)
        except OAuthRefused:  # nobody was asked
            self._allowance.give_back(asker)
            raise
        secret = new_secret(SECRET_BYTES)
        try:
            self._store.add(self._kept(wanted, client, scope, asked, secret))
        except Exception:
            self._end_made(wanted, scope, client.authorisation_number)
            raise
        return {"auth_req_id": secret, "expires_in": wanted.seconds, "interval": INTERVAL_SECONDS}

    def redeemable(self, auth_req_id: str, client: Client) -> AuthorizationCode:
        """Return the right to the tokens of an approved request; raises `OAuthRefused`.

        Several may hold it at once, on whatever process: whoever redeems first has it (`Tokens.redeem`).
        """
        kept = self._store.find(secret_sha256(auth_req_id))
        if kept is None or kept.client_id != client.client_id:
            raise unknown_request()
        now = self._clock.now()
        try:
            self._store.note_poll(kept, now)
        except PolledTooSoon as error:
            # Whoever has had the tokens is not told to come again later.
            raise (already_redeemed() if self._codes.has_redeemed_code(kept.sha256) else too_soon()) from error
        status = self._status(kept) if now < kept.expires_at else AskStatus.EXPIRED
        if status is not AskStatus.APPROVED:
            raise _undecided(status)
        code = self._code(kept)
        try:
            self._codes.put_code(code)
        except CodeAlreadyRedeemed as error:
            raise already_redeemed() from error
        return code

    def note_redeemed(self, code: AuthorizationCode) -> None:
        """Note that the right was used: the PSU has said yes, and is not bothered."""
        psu = code.subject or ""
        self._allowance.give_back(Asker(client_id=code.client_id, authorisation_number=code.authorisation_number, psu=psu))

    def _whole(self, wanted: Wanted, client: Client) -> Wanted:
        """Return all that the PSU is to decide on; raises `OAuthRefused` where a grant is not to be changed so (GM §5.2)."""
        grant = changed_grant(self._grants, wanted.grant, wanted.asked, client_id=client.client_id)
        if wanted.grant is None or grant is None:
            return wanted
        if grant.subject != wanted.psu:
            raise OAuthRefused(GRANT_OF_ANOTHER_PSU)
        wish, asked = whole_request(self._grants, wanted.grant, wanted.asked, client_id=client.client_id)
        return replace(wanted, grant=wish, asked=asked)

    def _asked(self, wanted: Wanted, tenant: str) -> tuple[BerlinScope, AskedPsu]:
        try:
            scope = self._resources.made(wanted.asked, tenant=tenant)
        except BankUnavailable as error:
            raise bank_unavailable() from error
        new = NewAsk(
            tenant=tenant,
            scope=scope,
            psu=wanted.psu,
            seconds=wanted.seconds,
            binding_message=wanted.binding_message,
        )
        try:
            return scope, self._ask(new)
        except OAuthRefused:
            self._end_made(wanted, scope, tenant)
            raise

    def _end_made(self, wanted: Wanted, scope: BerlinScope, tenant: str) -> None:
        """End what was made for a request of which its client never hears."""
        if wanted.asked.resource is None:
            self._resources.give_up(scope, tenant=tenant)

    def _ask(self, new: NewAsk) -> AskedPsu:
        try:
            return self._bank.ask(new)
        except PsuNotKnown as error:
            raise unknown_user() from error
        except DecoupledNotOffered as error:
            raise not_offered() from error
        except ResourceUnknown as error:
            raise resource_unknown(str(new.scope)) from error
        except ResourceNotAwaiting as error:
            raise resource_not_awaiting(str(new.scope)) from error
        except BankUnavailable as error:
            raise bank_unavailable() from error

    def _kept(self, wanted: Wanted, client: Client, scope: BerlinScope, asked: AskedPsu, secret: str) -> BackchannelRequest:
        now, detail, grant = self._clock.now(), wanted.asked.detail, wanted.grant
        ping = self._pings.sealed(secret, wanted.notification_token) if wanted.notification_token is not None else None
        return BackchannelRequest(
            sha256=secret_sha256(secret),
            client_id=client.client_id,
            authorisation_number=client.authorisation_number,
            scope=wanted.asked.granted(scope.resource),
            subject=wanted.psu,
            authorisation=asked.authorisation,
            interval=INTERVAL_SECONDS,
            created_at=now,
            expires_at=now + timedelta(seconds=wanted.seconds),
            is_made=wanted.asked.resource is None,
            authorization_details=None if detail is None else json.dumps(detail.told),
            grant_action=None if grant is None else grant.action.value,
            grant_id=None if grant is None else grant.grant_id,
            merges=None if grant is None else grant.merges,
            ping=ping,
            ping_at=None if ping is None else now,
        )

    def _status(self, kept: BackchannelRequest) -> AskStatus:
        try:
            asked = self._bank.asked(kept.authorisation, tenant=kept.authorisation_number)
        except BankUnavailable as error:
            raise bank_unavailable() from error
        scope = resource_of(kept.scope)
        if (asked.psu, asked.kind, asked.resource) != (kept.subject, scope.service.kind, scope.resource):
            return AskStatus.REJECTED
        return asked.status

    def _code(self, kept: BackchannelRequest) -> AuthorizationCode:
        now = self._clock.now()
        return AuthorizationCode(
            # Of no secret that anybody has: it is redeemed here, and nowhere else.
            sha256=secret_sha256(new_secret(SECRET_BYTES)),
            request_sha256=kept.sha256,
            client_id=kept.client_id,
            authorisation_number=kept.authorisation_number,
            redirect_uri="",
            scope=kept.scope,
            subject=kept.subject,
            code_challenge="",
            grant_id=kept.grant_id or new_uuid(),
            issued_at=now,
            expires_at=now + self._lifetimes.code,
            authorization_details=self._granted(kept),
            tells_grant=kept.grant_action is not None,
            merges=kept.merges,
        )

    def _granted(self, kept: BackchannelRequest) -> str | None:
        if not kept.is_made and kept.authorization_details is None and kept.grant_action is None:
            return None
        told = {} if kept.authorization_details is None else json.loads(kept.authorization_details)
        try:
            return json.dumps([self._resources.granted(resource_of(kept.scope), tenant=kept.authorisation_number, told=told)])
        except BankUnavailable as error:
            raise bank_unavailable() from error


def _undecided(status: AskStatus) -> OAuthRefused:
    refusals = {AskStatus.PENDING: pending, AskStatus.EXPIRED: expired, AskStatus.REJECTED: denied}
    return refusals[status]()

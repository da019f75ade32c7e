"""An authorization request's way: judged, put before the PSU at the bank, answered to the client.

Begun and finished in two requests of the same browser; between them the PSU is at the bank (docs/architecture.md §3.2).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from gateway.oauth.authorization_refusals import (
    awaiting_no_longer,
    bank_unavailable,
    code_already_redeemed,
    not_as_asked,
    of_request,
    other_browser,
    other_psu,
    resource_unknown,
    timed_out,
    unknown_request,
)
from gateway.oauth.authorization_request import ValidRequest, validated_request
from gateway.oauth.bank import (
    Bank,
    BankUnavailable,
    BegunInteraction,
    Decision,
    DecisionRefused,
    Interaction,
    InteractionStatus,
    NewInteraction,
    NewVisit,
    ResourceNotAwaiting,
    ResourceUnknown,
)
from gateway.oauth.grant_management.changing import Grants, changed_grant, whole_request
from gateway.oauth.kept_requests import as_parameters, code_for, granted_details, interaction_of, kept_request
from gateway.oauth.model import AuthorizationCode, AuthorizationRequest, CodeAlreadyRedeemed, Lifetimes, secret_sha256
from gateway.oauth.par.model import Claim, ClaimLost
from gateway.oauth.par.refusals import other_browsers_request_uri
from gateway.oauth.rar.bank import ResourceRefused
from gateway.oauth.rar.resources import Resources, not_made, to_make
from gateway.oauth.refusals import OAuthRefused, PageRefused, RedirectRefused
from gateway.oauth.scope import resource_of
from psd2.ids import new_secret

if TYPE_CHECKING:
    from gateway.oauth.authorization_response import Responses
    from gateway.oauth.par.service import PushedRequests
    from gateway.oauth.parameters import Parameters
    from gateway.oauth.scope import Service
    from gateway.register.service import Register, RegisteredClient
    from psd2.clock import Clock

RESUME_PATH: Final = "/authorize/resume"
_DENIALS: Final = {
    InteractionStatus.REJECTED: "the PSU refused",
    InteractionStatus.EXPIRED: "the PSU did not decide in time",
    InteractionStatus.FAILED: "the PSU could not be authenticated",
}


class AuthorizationStore(Protocol):
    """Where authorization requests and codes are kept."""

    def add_request(self, request: AuthorizationRequest, claim: Claim | None = None) -> None:
        """Keep an authorization request, begun by `claim`; raises `ClaimLost` where that is another's now."""

    def request(self, sha256: str) -> AuthorizationRequest | None:
        """Return the authorization request, or None."""

    def has_code(self, request_sha256: str) -> bool:
        """Tell whether the request was answered with a code, redeemed or not."""

    def put_code(self, code: AuthorizationCode) -> None:
        """Keep a code in the place of an unredeemed one of the same request; raises `CodeAlreadyRedeemed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A request before the PSU: where it waits, what is kept of it, and the right by which it was begun, if it was pushed."""

    interaction: BegunInteraction
    kept: AuthorizationRequest
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a browser goes, and the secret that it is known by from now on."""

    url: str
    browser: str


class Authorization:
    """Authorization requests, from the client's wish to the PSU's answer."""

    def __init__(
        self,
        *,
        responses: Responses,
        register: Register,
        pushed: PushedRequests,
        store: AuthorizationStore,
        grants: Grants,
        bank: Bank,
        clock: Clock,
        lifetimes: Lifetimes,
        issuer: str,
        location: str,
    ) -> None:
        """Answer as `issuer`, with tokens for the bank's interface at `location`."""
        self._location = location
        self._grants = grants
        self._resources = Resources(bank)
        self._responses = responses
        self._register = register
        self._pushed = pushed
        self._store = store
        self._bank = bank
        self._clock = clock
        self._lifetimes = lifetimes
        self._issuer = issuer

    def validate(self, parameters: Parameters) -> ValidRequest:
        """Judge an authorization request, pushed or not; raises `PageRefused`, `RedirectRefused`."""
        if parameters.get("request_uri") is None:
            return self.judged(parameters)
        pushed, sha256 = self._pushed.resolved(parameters)
        return replace(self.judged(pushed, is_pushed=True), pushed_sha256=sha256)

    def judged(self, parameters: Parameters, *, is_pushed: bool = False, by: RegisteredClient | None = None) -> ValidRequest:
        """Judge the parameters themselves; raises `PageRefused`, `RedirectRefused`. `by`: who asks, if it is known."""
        registered = self._register.registered if by is None else lambda _client_id: by
        request = validated_request(parameters, registered, location=self._location, is_pushed=is_pushed)
        try:
            changed_grant(self._grants, request.grant, request.asked, client_id=request.client.client_id)
        except OAuthRefused as refused:
            raise of_request(refused, request) from refused
        return request

    def visit(self, request: ValidRequest, *, browser: str | None) -> Visit:
        """Put a request before the PSU, or send it back to where it has begun already; raises `PageRefused`, `RedirectRefused`.

        `browser` is the secret that the browser has already. What was pushed is begun once, and in one browser, however often
        its page is loaded (FAPI 2.0 SP §5.3.2.2).
        """
        browser = browser or new_secret()
        claim = self._claim(request, browser)
        if isinstance(claim, str):
            return Visit(self._begun_before(claim), browser)
        return Visit(self._begun(request, browser, claim).interaction.url, browser)

    def begin(self, request: ValidRequest, decision: Decision | None = None) -> Begun:
        """Put a request before the PSU in a browser of its own; raises `PageRefused`, `RedirectRefused`.

        What is made for it is decided on at once, where the PSU's `decision` is known; raises `DecisionRefused`.
        """
        browser = new_secret()
        claim = self._claim(request, browser)
        if isinstance(claim, str):  # which no other browser is told
            raise unknown_request()
        return self._begun(request, browser, claim, decision)

    def finish(self, one_time_id: str, *, browser: str | None) -> str:
        """Return where the browser goes next: to the client with the PSU's answer, or back to the bank's open page.

        Raises `PageRefused` and `RedirectRefused`. Asking again is harmless: a code that was not redeemed yet is
        replaced by a new one, and a redeemed one is the end.
        """
        kept = self._store.request(secret_sha256(one_time_id))
        if kept is None:
            raise unknown_request()
        if browser is None or not hmac.compare_digest(secret_sha256(browser), kept.browser_sha256):
            raise other_browser()
        return self._finished(kept, None)

    def finish_decided(self, begun: Begun, decided: Interaction) -> str:
        """Return the same of a request that has just been begun, and decided on as the bank tells; raises as `finish` does."""
        return self._finished(begun.kept, decided)

    def _finished(self, kept: AuthorizationRequest, decided: Interaction | None) -> str:
        try:
            return self._answer(kept, interaction_of(kept, decided or self._returned(kept)))
        except RedirectRefused:
            self._give_up(kept)
            raise

    def _returned(self, kept: AuthorizationRequest) -> Interaction:
        """Return what became of a request that a PSU has taken its time over; raises `PageRefused`, `RedirectRefused`."""
        if kept.expires_at <= self._clock.now():
            raise timed_out(kept)
        # Client and TPP may have been blocked or deleted while the PSU was thinking.
        is_pushed = kept.pushed_sha256 is not None
        validated_request(as_parameters(kept), self._register.registered, location=self._location, is_pushed=is_pushed)
        return self._at_bank(kept)

    def abandon(self, begun: Begun) -> None:
        """End what was made for a request that nobody will decide on."""
        self._give_up(begun.kept)
        if begun.claim is not None:
            self._pushed.release(begun.claim)

    def _whole(self, request: ValidRequest) -> ValidRequest:
        if request.grant is None:
            return request
        try:
            wish, asked = whole_request(self._grants, request.grant, request.asked, client_id=request.client.client_id)
            return replace(request, asked=asked, grant=wish)
        except OAuthRefused as refused:
            raise of_request(refused, request) from refused

    def _claim(self, request: ValidRequest, browser: str) -> Claim | str | None:
        return None if request.pushed_sha256 is None else self._pushed.claim(request.pushed_sha256, browser=browser)

    def _begun_before(self, sha256: str) -> str:
        kept = self._store.request(sha256)
        if kept is None:
            raise unknown_request()
        return kept.interaction_url

    def _begun(self, request: ValidRequest, browser: str, claim: Claim | None, decision: Decision | None = None) -> Begun:
        one_time_id = new_secret()
        try:
            request = self._whole(request)
            interaction = self._begin_at_bank(request, f"{self._issuer}{RESUME_PATH}/{one_time_id}", decision)
        except (RedirectRefused, DecisionRefused):
            if claim is not None:
                self._pushed.release(claim)
            raise
        kept = kept_request(
            request,
            interaction,
            one_time_id=one_time_id,
            browser=browser,
            now=self._clock.now(),
            lifetime=self._lifetimes.authorization,
        )
        try:
            self._store.add_request(kept, claim)
        except ClaimLost as error:
            self._end_made(kept)
            raise other_browsers_request_uri() from error
        except Exception:
            # Nobody can come back to it: what the bank has made for it, and decided on perhaps, is nobody's.
            self._end_made(kept)
            if claim is not None:
                self._pushed.release(claim)
            raise
        return Begun(interaction=interaction, kept=kept, claim=claim)

    def _give_up(self, kept: AuthorizationRequest) -> None:
        """End what was made for this request, if its client will never hear of it.

        One that has had its code has it in use: a tab that is opened again later must not end that.
        """
        if kept.is_made and not self._store.has_code(kept.sha256):
            self._end_made(kept)

    def _end_made(self, kept: AuthorizationRequest) -> None:
        if kept.is_made:
            self._resources.give_up(resource_of(kept.scope), tenant=kept.authorisation_number)

    def _begin_at_bank(self, request: ValidRequest, return_url: str, decision: Decision | None) -> BegunInteraction:
        client, asked = request.client, request.asked
        visit = NewVisit(client_id=client.client_id, client_name=client.name, return_url=return_url)
        try:
            if asked.resource is None:
                return self._bank.make_and_begin(to_make(asked, tenant=client.authorisation_number), visit, decision)
            return self._bank.begin(_new_interaction(client.authorisation_number, asked.service, asked.resource, visit))
        except ResourceRefused as error:
            raise of_request(not_made(asked, error), request) from error
        except ResourceUnknown as error:
            raise resource_unknown(request) from error
        except ResourceNotAwaiting as error:
            raise awaiting_no_longer(request) from error
        except BankUnavailable as error:
            raise bank_unavailable(request.return_address) from error

    def _at_bank(self, kept: AuthorizationRequest) -> Interaction:
        try:
            return self._bank.interaction(kept.interaction)
        except BankUnavailable as error:
            raise bank_unavailable() from error

    def _answer(self, kept: AuthorizationRequest, interaction: Interaction) -> str:
        if interaction.status is InteractionStatus.PENDING:
            return kept.interaction_url
        self._use_up(kept)
        if interaction.status is not InteractionStatus.APPROVED:
            self._give_up(kept)
            description = _DENIALS[interaction.status]
            return self._to_client(kept, error="access_denied", error_description=description)
        if interaction.psu is None:
            raise not_as_asked(kept)
        self._require_own_grant(kept, interaction.psu)
        return self._to_client(kept, code=self._new_code(kept, interaction.psu, granted=granted_details(kept, interaction)))

    def _require_own_grant(self, kept: AuthorizationRequest, psu: str) -> None:
        """Raise `RedirectRefused` unless the grant to be changed is in force still, and this PSU's."""
        if kept.grant_id is None:
            return
        try:
            grant = self._grants.owned(kept.grant_id, kept.client_id)
        except OAuthRefused as refused:
            raise RedirectRefused(refused.refusal, to=kept.return_address) from refused
        if grant.subject != psu:
            raise other_psu(kept)

    def _use_up(self, kept: AuthorizationRequest) -> None:
        """Make this the authorization, of all that were begun with the same request_uri, that the client hears of."""
        if kept.pushed_sha256 is None:
            return
        try:
            self._pushed.answer(kept.pushed_sha256, by=kept.sha256)
        except PageRefused:
            self._give_up(kept)
            raise

    def _to_client(self, kept: AuthorizationRequest, **answer: str) -> str:
        return self._responses.url(kept.return_address, **answer)

    def _new_code(self, kept: AuthorizationRequest, psu: str, *, granted: str | None) -> str:
        secret = new_secret()
        code = code_for(kept, psu=psu, secret=secret, granted=granted, now=self._clock.now(), lifetime=self._lifetimes.code)
        try:
            self._store.put_code(code)
        except CodeAlreadyRedeemed as error:
            raise code_already_redeemed() from error
        return secret


def _new_interaction(tenant: str, service: Service, resource: str, visit: NewVisit) -> NewInteraction:
    return NewInteraction(
        tenant=tenant,
        kind=service.kind,
        resource=resource,
        client_id=visit.client_id,
        client_name=visit.client_name,
        return_url=visit.return_url,
    )

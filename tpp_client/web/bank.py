"""What the app says to the bank during one request of a browser: every word through the library, every call kept for show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from psd2.ids import ConsentId, PaymentId
from tpp_client.authorization import AuthorizationAttempt
from tpp_client.consents import (
    ConsentDraft,
    consent_deletion_request,
    consent_details_request,
    consent_request,
    process_consent_deletion_response,
    process_consent_details_response,
    process_consent_response,
)
from tpp_client.discovery import discovery_request, process_discovery_response
from tpp_client.payments import (
    payment_request,
    payment_status_request,
    process_payment_response,
    process_payment_status_response,
)
from tpp_client.refusals import is_refused_for
from tpp_client.sandbox_api import data_request, process_data_response
from tpp_client.sandbox_steering import clock_request, process_clock_response
from tpp_client.tokens import process_revocation_response, revocation_request
from tpp_client.web.visits.model import Attempt, Purpose
from tpp_client.web.wire_log import LoggedTransport
from tpp_client.xs2a import Xs2a

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from tpp_client.consents import ConsentDetails
    from tpp_client.discovery import ServerMetadata
    from tpp_client.payments import InitiatedPayment, PaymentOrder
    from tpp_client.sandbox_api import Persona
    from tpp_client.tokens import Tokens
    from tpp_client.web.desk import Desk, Tpp
    from tpp_client.web.visits.model import WireCall
    from tpp_client.wire import HttpResponse

CONSENT_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The bank as this TPP reaches it for one PSU, whose browser sits at `psu_ip_address`."""

    desk: Desk
    tpp: Tpp
    redirect_uri: str
    transport: LoggedTransport
    xs2a: Xs2a = field(repr=False)

    @property
    def calls(self) -> list[WireCall]:
        """Every call so far."""
        return self.transport.calls

    def ask_for_consent(self, today: date) -> ConsentId:
        """Ask for a consent to accounts that the PSU will choose at the bank (BG IG §6.3.1.2)."""
        response = self._consent_from(today)
        if is_refused_for(response, "validUntil"):  # as only in a sandbox: its clock can be put forward, and is ahead of ours
            response = self._consent_from(process_clock_response(clock_request(self.xs2a)).now.date())
        return process_consent_response(response).consent_id

    def _consent_from(self, day: date) -> HttpResponse:
        return consent_request(self.xs2a, ConsentDraft(valid_until=day + timedelta(days=CONSENT_DAYS)))

    def consent(self, consent_id: str) -> ConsentDetails:
        """Return the consent as it stands."""
        return process_consent_details_response(consent_details_request(self.xs2a, ConsentId(consent_id)))

    def end_consent(self, consent_id: str) -> None:
        """End the consent at the bank."""
        process_consent_deletion_response(consent_deletion_request(self.xs2a, ConsentId(consent_id)))

    def initiate(self, order: PaymentOrder, *, request_id: str) -> InitiatedPayment:
        """Initiate a payment, once however often it is sent: `request_id` is its X-Request-ID."""
        return process_payment_response(payment_request(replace(self.xs2a, new_request_id=lambda: request_id), order))

    def payment_status(self, payment_id: str) -> str:
        """Return how far a payment is (ISO 20022)."""
        return process_payment_status_response(payment_status_request(self.xs2a, PaymentId(payment_id)))

    def sandbox_people(self) -> tuple[Persona, ...]:
        """Return who banks in this sandbox: a real bank tells nobody."""
        return process_data_response(data_request(self.xs2a))

    def begin(self, purpose: Purpose, resource: str, *, now: float) -> tuple[Attempt, str]:
        """Return an attempt to remember, and the address to send the PSU's browser to."""
        scope = f"{'AIS' if purpose is Purpose.ACCOUNTS else 'PIS'}:{resource}"
        begun = self.tpp.voice.begin(redirect_uri=self.redirect_uri, scope=scope)
        attempt = Attempt(
            purpose=purpose,
            resource=resource,
            client_id=begun.client_id,
            redirect_uri=begun.redirect_uri,
            scope=begun.scope,
            state=begun.state,
            verifier=begun.verifier,
            begun_at=now,
        )
        return attempt, self.tpp.voice.address(self.transport, self.metadata(), begun)

    def finish(self, attempt: Attempt, redirect: str) -> Tokens:
        """Judge the bank's answer and exchange its code; raises `TppClientError`."""
        metadata, asked = self.metadata(), _as_asked(attempt, self.tpp.voice.more)
        code, _ = self.tpp.voice.answer(self.transport, metadata, asked, redirect)
        return self.tpp.voice.tokens(self.transport, metadata, code)

    def refresh(self, refresh_token: str) -> Tokens:
        """Return a fresh access token."""
        return self.tpp.voice.refreshed(self.transport, self.metadata(), refresh_token)

    def revoke(self, token: str) -> None:
        """Take a token back: nobody is to find it good."""
        client_id = self.tpp.identity.client_id
        process_revocation_response(revocation_request(self.transport, self.metadata(), client_id=client_id, token=token))

    def metadata(self) -> ServerMetadata:
        """Return the authorization server's metadata."""

        def read() -> ServerMetadata:
            issuer = self.tpp.identity.issuer
            return process_discovery_response(discovery_request(self.transport, issuer), issuer=issuer)

        return self.desk.metadata(read)


def bank_for(desk: Desk, *, redirect_uri: str, psu_ip_address: str) -> Bank:
    """Return the bank for one request; raises `IdentityUnusable`."""
    tpp = desk.tpp()
    transport = LoggedTransport(tpp.transport)
    xs2a = Xs2a(transport=transport, edge=tpp.identity.edge, psu_ip_address=psu_ip_address)
    return Bank(desk=desk, tpp=tpp, redirect_uri=redirect_uri, transport=transport, xs2a=xs2a)


def _as_asked(attempt: Attempt, more: Mapping[str, str]) -> AuthorizationAttempt:
    return AuthorizationAttempt(
        client_id=attempt.client_id,
        redirect_uri=attempt.redirect_uri,
        scope=attempt.scope,
        state=attempt.state,
        verifier=attempt.verifier,
        more=more,
    )

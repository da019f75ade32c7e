"""A registered TPP as the scenarios see it: it asks, is authorised, reads and pays."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from psd2.clock import SystemClock
from tpp_client.accounts import accounts_request, balances_request, process_accounts_response, process_balances_response
from tpp_client.bootstrap import headless_stage, identity_at
from tpp_client.consents import (
    ConsentDraft,
    consent_request,
    consent_status_request,
    process_consent_response,
    process_consent_status_response,
)
from tpp_client.journeys.narration import Recorder
from tpp_client.journeys.stage import HeadlessPsu, authorise, discover
from tpp_client.sandbox_api import data_request, inbox_request, process_data_response, process_inbox_response
from tpp_client.sandbox_steering import clock_request, process_clock_response
from tpp_client.transcript import TranscribedTransport
from tpp_client.transport import MutualTlsTransport, transport_for
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from psd2.ids import ConsentId
    from psd2.money import Money
    from tpp_client.discovery import ServerMetadata
    from tpp_client.identity import Credential, TppIdentity
    from tpp_client.journeys.stage import Stage
    from tpp_client.sandbox_api import InboxMessage, Persona
    from tpp_client.tokens import Tokens
    from tpp_client.wire import HttpResponse, Transport
    from tpp_client.xs2a import Xs2a

CLOCK = SystemClock()
ANNA = "anna.weber"
# Has one account, and no card that is settled from it as time passes.
JONAS = "jonas.brandt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a PSU has given a TPP: a consent, and tokens that stand for it."""

    consent_id: ConsentId
    tokens: Tokens = field(repr=False)

    @property
    def access(self) -> Access:
        """The right to read."""
        return Access(token=self.tokens.access_token, consent_id=self.consent_id)


class Tpp:
    """One TPP with an open connection to the bank."""

    def __init__(self, home: Path, name: str, *, transcript: Path | None = None) -> None:
        """Load its files and open its connection; what goes over it is written to `transcript`."""
        self.home = home
        self._transcript = transcript
        self.name = name
        self.identity: TppIdentity = identity_at(home, name, clock=CLOCK)
        self.transport: MutualTlsTransport = transport_for(self.identity)
        plain = self.recorded(self.transport)
        self.stage: Stage = headless_stage(self.identity, plain, psu=ANNA, narrator=Recorder(), clock=CLOCK)

    def close(self) -> None:
        """Close its connection."""
        self.transport.close()

    def recorded(self, transport: Transport) -> Transport:
        """Return the transport, or one that writes down as well where the run has a transcript."""
        return transport if self._transcript is None else TranscribedTransport(transport, self._transcript)

    @property
    def speaking(self) -> Transport:
        """The connection, with what the client has to add to each request."""
        return self.stage.transport

    @property
    def xs2a(self) -> Xs2a:
        """The bank's interface, as this TPP."""
        return self.stage.xs2a

    @cached_property
    def metadata(self) -> ServerMetadata:
        """The authorization server's metadata."""
        return discover(self.stage)

    @cached_property
    def personas(self) -> tuple[Persona, ...]:
        """Who banks in this TPP's tenant."""
        return process_data_response(data_request(self.xs2a))

    def today(self) -> date:
        """Return the day at this TPP's bank, whose clock may be ahead of ours."""
        return process_clock_response(clock_request(self.xs2a)).now.date()

    def newest_message(self, psu: str) -> InboxMessage:
        """Return the newest message in a PSU's inbox."""
        return process_inbox_response(inbox_request(self.xs2a, psu=psu))[0]

    def persona(self, psu: str) -> Persona:
        """Return a persona by login."""
        return next(persona for persona in self.personas if persona.psu == psu)

    def neighbour(self, psu: str) -> Persona:
        """Return somebody else with an account in the same currency."""
        currency = self.persona(psu).accounts[0].currency
        others = (one for one in self.personas if one.psu != psu and one.accounts)
        return next(one for one in others if one.accounts[0].currency == currency)

    def ask_consent(self, *, days: int = 90, ibans: tuple[str, ...] = (), frequency_per_day: int = 4) -> HttpResponse:
        """Ask for a consent that ends in some days."""
        until = self.today() + timedelta(days=days)
        draft = ConsentDraft(valid_until=until, ibans=ibans, frequency_per_day=frequency_per_day)
        return consent_request(self.xs2a, draft)

    def consent(self, *, days: int = 90, frequency_per_day: int = 4) -> ConsentId:
        """Ask for a consent and return its id."""
        return process_consent_response(self.ask_consent(days=days, frequency_per_day=frequency_per_day)).consent_id

    def consent_status(self, consent_id: ConsentId) -> str:
        """Return where the bank says the consent stands."""
        return process_consent_status_response(consent_status_request(self.xs2a, consent_id))

    def tokens_for(
        self,
        scope: str,
        *,
        psu: str = ANNA,
        accounts: tuple[str, ...] | None = None,
        result: Literal["APPROVED", "REJECTED"] = "APPROVED",
    ) -> Tokens:
        """Have the PSU decide, and exchange the code."""
        decision = HeadlessPsu(xs2a=self.xs2a, psu=psu, accounts=accounts, result=result)
        return authorise(dataclasses.replace(self.stage, psu=decision), self.metadata, scope)

    def grant(
        self, *, psu: str = ANNA, accounts: tuple[str, ...] | None = None, frequency_per_day: int = 4, days: int = 90
    ) -> Grant:
        """Return an authorised consent with its tokens."""
        consent_id = self.consent(frequency_per_day=frequency_per_day, days=days)
        return Grant(consent_id=consent_id, tokens=self.tokens_for(f"AIS:{consent_id}", psu=psu, accounts=accounts))

    def read_accounts(self, grant: Grant) -> HttpResponse:
        """Read the accounts of a grant, over the open connection."""
        return accounts_request(self.xs2a, grant.access)

    def read_accounts_over(self, credential: Credential | None, grant: Grant) -> HttpResponse:
        """Read the accounts of a grant over a new connection with any certificate, or none."""
        with MutualTlsTransport(cafile=self.identity.cafile, credential=credential) as transport:
            return accounts_request(dataclasses.replace(self.xs2a, transport=self.recorded(transport)), grant.access)

    def balance(self, psu: str) -> Money:
        """Return what stands on a PSU's first account, as an AISP reads it."""
        iban = self.persona(psu).accounts[0].iban
        grant = self.grant(psu=psu, accounts=(iban,))
        accounts = process_accounts_response(self.read_accounts(grant))
        account_id = next(account.account_id for account in accounts if account.iban == iban)
        balances = process_balances_response(balances_request(self.xs2a, grant.access, account_id))
        return next(balance.amount for balance in balances if balance.kind == "interimAvailable")

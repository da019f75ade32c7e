"""Account information, whole: consent, SCA, token, accounts, balances, transactions (BG IG 1.3.8 §6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tpp_client.accounts import (
    accounts_request,
    balances_request,
    process_accounts_response,
    process_balances_response,
    transaction_pages,
)
from tpp_client.consents import (
    ConsentDraft,
    consent_path,
    consent_request,
    consent_status_request,
    process_consent_response,
    process_consent_status_response,
)
from tpp_client.errors import Refused
from tpp_client.journeys.authorising import authorised
from tpp_client.journeys.demands import initiated
from tpp_client.journeys.personas import persona_named, read_personas
from tpp_client.journeys.stage import Awaiting, discover
from tpp_client.journeys.tenant_clock import day_at_bank
from tpp_client.refusals import is_refused_for
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from datetime import date

    from psd2.ids import ConsentId
    from tpp_client.accounts import Account, Balance, Transaction, TransactionPage
    from tpp_client.consents import CreatedConsent
    from tpp_client.journeys.stage import Stage
    from tpp_client.tokens import Tokens
    from tpp_client.wire import HttpResponse

CONSENT_DAYS = 90
HISTORY_DAYS = 90


@dataclass(frozen=True, slots=True)
class AccountReport:
    """One account as the TPP saw it."""

    account: Account
    balances: tuple[Balance, ...]
    booked: tuple[Transaction, ...]
    pending: tuple[Transaction, ...]

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {
            "iban": self.account.iban,
            "currency": self.account.currency,
            "name": self.account.name,
            "balances": [{"type": balance.kind, "amount": balance.amount.decimal} for balance in self.balances],
            "booked": len(self.booked),
            "pending": len(self.pending),
        }


@dataclass(frozen=True, slots=True)
class AisResult:
    """What an account information journey brings home."""

    consent_id: ConsentId
    tokens: Tokens = field(repr=False)
    reports: tuple[AccountReport, ...]

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`; the token stays here."""
        return {"consent_id": self.consent_id, "accounts": [report.as_json() for report in self.reports]}


def ais_journey(stage: Stage) -> AisResult:
    """Go the whole way; raises `TppClientError` at the first step that fails."""
    metadata = discover(stage)
    consent = _asked_for_consent(stage)
    consent_id = consent.consent_id
    awaiting = Awaiting(scope=f"AIS:{consent_id}", path=consent_path(consent_id), sca=consent.sca)
    tokens = authorised(stage, metadata, awaiting)
    access = Access(token=tokens.access_token, consent_id=consent_id)
    _confirm_consent(stage, consent_id)
    stage.narrator.step("Read the accounts", "BG IG §6.5.1")
    accounts = process_accounts_response(accounts_request(stage.xs2a, access))
    reports = tuple(_report(stage, access, account) for account in accounts)
    return AisResult(consent_id, tokens, reports)


def ask_for_consent(stage: Stage) -> ConsentId:
    """Ask for a consent and return its id."""
    return _asked_for_consent(stage).consent_id


def _asked_for_consent(stage: Stage) -> CreatedConsent:
    """Ask for a bank-offered consent, or for one to the PSU's accounts by name where the bank knows no other."""
    stage.narrator.step("Ask for a consent; the PSU will choose the accounts", "BG IG §6.3.1.2")
    draft = ConsentDraft(valid_until=(stage.clock.now() + timedelta(days=CONSENT_DAYS)).date())
    response = _asked(stage, draft)
    if stage.psu_id is not None and is_refused_for(response, "access"):
        # A bank that lets nobody choose wants the accounts named, and hardly lets itself be asked without the PSU.
        persona = persona_named(read_personas(stage), stage.psu_id)
        stage.narrator.step("Ask for a consent to the accounts by name", "BG IG §6.3.1.1")
        ibans = tuple(account.iban for account in persona.accounts)
        response = _asked(stage, replace(draft, ibans=ibans, frequency_per_day=1))
    return process_consent_response(response)


def _asked(stage: Stage, draft: ConsentDraft) -> HttpResponse:
    response = _sent(stage, draft)
    if not is_refused_for(response, "validUntil"):
        return response
    stage.narrator.step("Ask anew, counting from the bank's day: somebody has put its clock forward", "")
    return _sent(stage, replace(draft, valid_until=day_at_bank(stage) + timedelta(days=CONSENT_DAYS)))


def _sent(stage: Stage, draft: ConsentDraft) -> HttpResponse:
    return initiated(stage, lambda headers: consent_request(stage.xs2a, draft, headers=headers))


def _confirm_consent(stage: Stage, consent_id: ConsentId) -> None:
    stage.narrator.step("See that the consent is valid now", "BG IG §6.3.2")
    status = process_consent_status_response(consent_status_request(stage.xs2a, consent_id))
    stage.narrator.fact("consent", status)


def _report(stage: Stage, access: Access, account: Account) -> AccountReport:
    stage.narrator.step(f"Read balances and transactions of {account.iban}", "BG IG §6.5.3, §6.6")
    balances = process_balances_response(balances_request(stage.xs2a, access, account.account_id))
    wanted = _Wanted(since=(stage.clock.now() - timedelta(days=HISTORY_DAYS)).date())
    wanted, pages = _pages(stage, access, account, wanted)
    booked = tuple(entry for page in pages for entry in page.booked)
    pending = pages[0].pending  # a page further on is of older movements, and none of those is pending
    for balance in balances:
        stage.narrator.fact(balance.kind, str(balance.amount))
    stage.narrator.fact("transactions", f"{len(booked)} booked, {len(pending)} pending since {wanted.since}")
    return AccountReport(account, balances, booked, pending)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which transactions are asked for (BG IG §6.6.1)."""

    since: date
    booking_status: str = "both"


def _pages(stage: Stage, access: Access, account: Account, wanted: _Wanted) -> tuple[_Wanted, tuple[TransactionPage, ...]]:
    """Read all pages, of as much as the bank shows; returns them with what that is."""
    since, status = wanted.since, wanted.booking_status
    try:
        return wanted, tuple(transaction_pages(stage.xs2a, access, account.account_id, since=since, booking_status=status))
    except Refused as refused:
        fitting = _fitted(stage, wanted, {message.path for message in refused.refusal.messages})
        if fitting == wanted:
            raise
        return _pages(stage, access, account, fitting)


def _fitted(stage: Stage, wanted: _Wanted, refused: set[str | None]) -> _Wanted:
    """Ask for what is booked alone, or by the bank's own day, where the bank shows no more."""
    if "bookingStatus" in refused:
        wanted = replace(wanted, booking_status="booked")
    if "dateFrom" in refused:
        wanted = replace(wanted, since=day_at_bank(stage) - timedelta(days=HISTORY_DAYS))
    return wanted

"""Account information, whole: consent, SCA, token, accounts, balances, transactions (BG IG 1.3.8 §6)."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    consent_request,
    consent_status_request,
    process_consent_response,
    process_consent_status_response,
)
from tpp_client.journeys.stage import authorise, discover
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from psd2.ids import ConsentId
    from tpp_client.accounts import Account, Balance, Transaction
    from tpp_client.journeys.stage import Stage
    from tpp_client.tokens import Tokens

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
    consent_id = ask_for_consent(stage)
    tokens = authorise(stage, metadata, f"AIS:{consent_id}")
    _confirm_consent(stage, consent_id)
    access = Access(token=tokens.access_token, consent_id=consent_id)
    stage.narrator.step("Read the accounts", "BG IG §6.5.1")
    accounts = process_accounts_response(accounts_request(stage.xs2a, access))
    reports = tuple(_report(stage, access, account) for account in accounts)
    return AisResult(consent_id, tokens, reports)


def ask_for_consent(stage: Stage) -> ConsentId:
    """Ask for a bank-offered consent and return its id."""
    stage.narrator.step("Ask for a consent; the PSU will choose the accounts", "BG IG §6.3.1.2")
    draft = ConsentDraft(valid_until=(stage.clock.now() + timedelta(days=CONSENT_DAYS)).date())
    return process_consent_response(consent_request(stage.xs2a, draft)).consent_id


def _confirm_consent(stage: Stage, consent_id: ConsentId) -> None:
    stage.narrator.step("See that the consent is valid now", "BG IG §6.3.2")
    status = process_consent_status_response(consent_status_request(stage.xs2a, consent_id))
    stage.narrator.fact("consent", status)


def _report(stage: Stage, access: Access, account: Account) -> AccountReport:
    stage.narrator.step(f"Read balances and transactions of {account.iban}", "BG IG §6.5.3, §6.6")
    balances = process_balances_response(balances_request(stage.xs2a, access, account.account_id))
    since = (stage.clock.now() - timedelta(days=HISTORY_DAYS)).date()
    pages = tuple(transaction_pages(stage.xs2a, access, account.account_id, since=since))
    booked = tuple(entry for page in pages for entry in page.booked)
    pending = pages[0].pending  # a page further on is of older movements, and none of those is pending
    for balance in balances:
        stage.narrator.fact(balance.kind, str(balance.amount))
    stage.narrator.fact("transactions", f"{len(booked)} booked, {len(pending)} pending since {since}")
    return AccountReport(account, balances, booked, pending)

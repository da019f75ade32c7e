"""What a consent's access means account by account, and what time alone does to a consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bank_backend.accounts.model import AccessKind, Account, AccountRights, AccountStatus, AccountUsage
from bank_backend.consents.model import Access, AccessModel, AllAccounts, Consent, ConsentStatus
from bank_backend.references import AccountReference
from psd2.ids import AccountId, ConsentId, PsuId, TenantId

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
CURRENT, SAVINGS = "DE89370400440532013000", "DE02100100109307118603"


def account(iban: str = CURRENT, currency: str = "EUR") -> Account:
    return Account(
        id=AccountId(f"id of {iban}"),
        tenant=TenantId("PSDDE-BAFIN-100001"),
        iban=iban,
        bic="MUSTDEFF",
        currency=currency,
        name="Account",
        product="Giro",
        owner_name="Anna Weber",
        cash_account_type="CACC",
        status=AccountStatus.ENABLED,
        usage=AccountUsage.PRIVATE,
        overdraft_minor=0,
    )


def references(*ibans: str) -> tuple[AccountReference, ...]:
    return tuple(AccountReference(iban) for iban in ibans)


def consent(**changes: object) -> Consent:
    made = Consent(
        id=ConsentId("c"),
        tenant=TenantId("PSDDE-BAFIN-100001"),
        access=Access(accounts=()),
        recurring=True,
        valid_until=date(2026, 12, 1),
        frequency_per_day=4,
        status=ConsentStatus.VALID,
        psu=PsuId("anna.weber"),
        rights=(),
        received_at=NOW,
        last_action=NOW.date(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("access", "model"),
    [
        (Access(balances=references(CURRENT)), AccessModel.DEDICATED),
        (Access(balances=(), transactions=()), AccessModel.BANK_OFFERED),
        (Access(available_accounts=AllAccounts.ALL_ACCOUNTS), AccessModel.AVAILABLE_ACCOUNTS),
        (Access(available_accounts_with_balance=AllAccounts.ALL_ACCOUNTS), AccessModel.AVAILABLE_ACCOUNTS),
        (Access(all_psd2=AllAccounts.ALL_ACCOUNTS), AccessModel.GLOBAL),
    ],
)
def test_attributes_amount_to_a_model(access: Access, model: AccessModel) -> None:
    """BG IG §6: dedicated, bank-offered, available accounts, global."""
    assert access.model is model


def test_dedicated_rights_differ_by_account() -> None:
    """Balances of both, transactions of one: each account has just what it was named for."""
    access = Access(balances=references(CURRENT, SAVINGS), transactions=references(CURRENT))

    rights = [access.rights_on(account(iban)) for iban in (CURRENT, SAVINGS)]

    assert [(right.balances, right.transactions) for right in rights] == [(True, True), (True, False)]


def test_a_reference_with_a_currency_means_that_account_only() -> None:
    """An account in another currency is not the one named."""
    access = Access(balances=(AccountReference(CURRENT, "USD"),))

    assert not access.rights_on(account(currency="EUR")).balances
    assert access.rights_on(account(currency="USD")).balances


@pytest.mark.parametrize(
    ("access", "balances", "transactions"),
    [
        (Access(available_accounts=AllAccounts.ALL_ACCOUNTS), False, False),
        (Access(available_accounts_with_balance=AllAccounts.ALL_ACCOUNTS), True, False),
        (Access(all_psd2=AllAccounts.ALL_ACCOUNTS), True, True),
    ],
)
def test_whole_list_rights(access: Access, *, balances: bool, transactions: bool) -> None:
    """The list of available accounts opens no balance, the one with balance no transaction (BG IG §6.3.1.2)."""
    expected = AccountRights(account_id=account().id, balances=balances, transactions=transactions, owner_name=False)

    assert access.rights_on(account()) == expected


@pytest.mark.parametrize(
    ("access", "is_told"),
    [
        (Access(balances=references(CURRENT)), False),
        (Access(balances=references(CURRENT), owner_name=references(CURRENT)), True),
        (Access(balances=references(CURRENT, SAVINGS), owner_name=references(SAVINGS)), False),
        (Access(balances=references(CURRENT), owner_name=()), True),
        (Access(all_psd2=AllAccounts.ALL_ACCOUNTS_WITH_OWNER_NAME), True),
    ],
)
def test_the_owners_name_where_it_was_asked_for(access: Access, *, is_told: bool) -> None:
    """BG IG §14.17: an empty list asks it of every account the access is about."""
    assert access.rights_on(account()).owner_name is is_told


def test_the_psus_choice_fills_every_empty_list() -> None:
    """Bank-offered: what was asked, on what was chosen (BG IG §6.3.1.2)."""
    chosen = Access(balances=(), transactions=()).with_choice([account(SAVINGS)])

    expected = (AccountReference(SAVINGS, "EUR"),)
    assert chosen == Access(balances=expected, transactions=expected)


def test_kinds_are_what_is_asked_on_any_account() -> None:
    """Accounts always: whoever may see a balance may see the account (BG IG §6.3.1.1)."""
    assert Access(transactions=()).kinds == {AccessKind.ACCOUNTS, AccessKind.TRANSACTIONS}


def test_valid_through_the_last_day_and_expired_the_day_after() -> None:
    """`validUntil` includes the day it names (BG IG §6.3.1.1)."""
    last_moment = datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)

    assert consent().settled(last_moment).status is ConsentStatus.VALID
    expired = consent().settled(last_moment + timedelta(seconds=1))
    assert (expired.status, expired.last_action) == (ConsentStatus.EXPIRED, date(2026, 12, 2))


def test_nobody_approves_for_a_day_and_it_is_rejected() -> None:
    """Without a successful authorisation a consent is rejected (BG IG §14.14)."""
    received = consent(status=ConsentStatus.RECEIVED, psu=None, rights=None)

    assert received.settled(NOW + timedelta(hours=24, seconds=-1)).status is ConsentStatus.RECEIVED
    assert received.settled(NOW + timedelta(hours=24)).status is ConsentStatus.REJECTED
    assert received.turns_at == NOW + timedelta(hours=24)


def test_a_strong_authentication_is_good_for_180_days() -> None:
    """Even where a bank grants longer consents (RTS 2018/389 Art. 10, as amended by 2022/2360)."""
    long = consent(valid_until=NOW.date() + timedelta(days=720), authorised_at=NOW)

    assert long.settled(NOW + timedelta(days=180, seconds=-1)).status is ConsentStatus.VALID
    assert long.settled(NOW + timedelta(days=180)).status is ConsentStatus.EXPIRED


def test_what_has_ended_stays_as_it_ended() -> None:
    """A terminated consent does not expire on top."""
    ended = consent(status=ConsentStatus.TERMINATED_BY_TPP)

    assert ended.settled(NOW + timedelta(days=900)) == ended

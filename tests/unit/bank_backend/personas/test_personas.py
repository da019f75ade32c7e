"""The personas: the same again, believable, and never short of money by surprise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schwifty import IBAN

from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.personas.catalogue import PERSONAS
from bank_backend.personas.countries import LOCALES, bic, house_bank_code, new_iban, outside_bank_code
from bank_backend.personas.service import plan_seed
from psd2.ids import TenantId
from tests.support.bank_core import NOW, TENANT

if TYPE_CHECKING:
    from bank_backend.personas.service import Seed


def plan(*, seed: int = 1, country: str = "DE", now: datetime = NOW, tenant: TenantId = TENANT) -> Seed:
    return plan_seed(tenant, country=country, seed=seed, now=now, settlement=own_account_id)


def test_the_same_seed_gives_the_same_bank() -> None:
    """Tenant, seed and day decide everything."""
    assert plan() == plan()
    assert plan().journal.postings != plan(seed=2).journal.postings
    assert plan().accounts != plan(tenant=TenantId("PSDDE-BAFIN-2")).accounts


def test_every_persona_says_what_it_is_for() -> None:
    """At least six, each with a purpose and a login that fits a form."""
    assert len(PERSONAS) >= 6
    assert len({persona.login for persona in PERSONAS}) == len(PERSONAS)
    assert all(20 <= len(persona.purpose) <= 200 for persona in PERSONAS)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), day=st.integers(0, 800), minute=st.integers(0, 1439))
def test_whatever_the_seed_and_the_day_nobody_is_overdrawn_by_surprise(seed: int, day: int, minute: int) -> None:
    """No account falls below its credit line at any time, what is pending included, and nothing happens in the future."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
    seeded = plan(seed=seed, now=now)

    overdraft = {account.id: account.overdraft_minor for account in seeded.accounts}
    for posting in seeded.journal.postings:
        if posting.account_id in overdraft:
            assert posting.balance_minor >= -overdraft[posting.account_id]
    for account in seeded.accounts:
        held = sum(hold.amount.minor for hold in seeded.holds if hold.account_id == account.id)
        position = seeded.journal.positions.get(account.id)
        assert (position.balance_minor if position else 0) + held + account.overdraft_minor >= 0
    assert all(entry.at <= now and entry.booking_date <= now.date() for entry in seeded.journal.entries)
    assert all(hold.at <= now and hold.value_date > now.date() for hold in seeded.holds)


def test_a_year_is_believable() -> None:
    """Thirteen months with salary and rent each month, groceries each week, something pending, on business days."""
    seeded = plan()
    anna = seeded.accounts[0].id
    booked = {posting.entry_id: posting for posting in seeded.journal.postings if posting.account_id == anna}
    texts = [entry.details.remittance for entry in seeded.journal.entries if entry.id in booked]

    assert sum(text.startswith("Salary ") for text in texts) == 13
    assert sum(text.startswith("Rent ") for text in texts) == 13
    assert sum(text.startswith("Card payment ") for text in texts) > 200
    assert all(posting.booking_date.weekday() < 5 or posting.number == 1 for posting in booked.values())
    assert sum(hold.account_id == anna for hold in seeded.holds) >= 2
    oldest = min(posting.booking_date for posting in booked.values())
    assert (NOW.date() - oldest).days > 13 * 30


def test_texts_fit_the_specification() -> None:
    """Names up to 70, remittance up to 140, references up to 35 characters (BG IG §14.24)."""
    for details in [entry.details for entry in plan().journal.entries]:
        assert len(details.debtor.name) <= 70
        assert len(details.creditor.name) <= 70
        assert 0 < len(details.remittance) <= 140
        assert max(len(details.end_to_end_id), len(details.mandate_id), len(details.creditor_id)) <= 35


@pytest.mark.filterwarnings("ignore::schwifty.exceptions.NationalChecksumNotVerified")
@pytest.mark.parametrize("country", LOCALES)
def test_ibans_are_valid_and_of_no_real_bank(country: str) -> None:
    """National check digits included; neither bank code is in the country's register."""
    seeded = plan(country=country)
    ibans = [account.iban for account in seeded.accounts]
    assert len(set(ibans)) == len(ibans)

    others = {entry.details.creditor.iban for entry in seeded.journal.entries} - {""}
    for text in [*ibans, *others]:
        iban = IBAN(text, validate_bban=True)
        assert iban.country_code == country
        assert iban.bank is None
    assert house_bank_code(country) != outside_bank_code(country)
    assert bic(country)[7] == "0"


def test_an_unused_bank_code_stays_unused() -> None:
    """The generator keeps the bank code it is given."""
    iban = new_iban("DE", Random(1), bank_code=house_bank_code("DE"))  # noqa: S311 - test data

    assert iban[4:12] == "99999999"

"""The personas: the same again, believable, and never short of money by surprise."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schwifty import IBAN

from bank_backend.accounts.model import AccountStatus
from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.personas.calendar import MONTHS_BACK
from bank_backend.personas.catalogue import PERSONAS, seeded_personas
from bank_backend.personas.countries import LOCALES, bic, house_bank_code, new_iban, outside_bank_code
from bank_backend.personas.document import document
from bank_backend.personas.households import CLARA
from bank_backend.personas.model import SALARY
from bank_backend.personas.private import NORA, TOM
from bank_backend.personas.service import plan_seed
from bank_backend.personas.trade import KIOSK
from bank_backend.references import parse_pan
from psd2.ids import TenantId
from tests.support.bank_core import NOW, TENANT
from tests.support.sizes import sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.personas.bookmark import Bookmark
    from bank_backend.personas.model import Persona
    from bank_backend.personas.service import Seed


# Without the one of 10,000 transactions, whose story takes as long as all others together.
FEW = seeded_personas(large_account=False)


def plan(
    *,
    seed: int = 1,
    country: str = "DE",
    now: datetime = NOW,
    tenant: TenantId = TENANT,
    personas: Sequence[Persona] = PERSONAS,
    months: int = MONTHS_BACK,
    after: Bookmark | None = None,
) -> Seed:
    return plan_seed(
        tenant,
        country=country,
        seed=seed,
        now=now,
        settlement=own_account_id,
        personas=personas,
        months=months,
        after=after,
    )


def test_the_same_seed_gives_the_same_bank() -> None:
    """Tenant, seed and day decide everything."""
    once = plan(personas=FEW)
    assert once == plan(personas=FEW)
    assert once.journal.postings != plan(seed=2, personas=FEW).journal.postings
    assert once.accounts != plan(tenant=TenantId("PSDDE-BAFIN-2"), personas=FEW).accounts


def test_every_persona_says_what_it_is_for() -> None:
    """At least twelve, each with a purpose and a login that fits a form."""
    assert len(PERSONAS) >= 12
    assert len({persona.login for persona in PERSONAS}) == len(PERSONAS)
    assert all(20 <= len(persona.purpose) <= 200 for persona in PERSONAS)


@settings(max_examples=sized(12, full=200), deadline=None)
@given(seed=st.integers(0, 2**63 - 1), day=st.integers(0, 800), minute=st.integers(0, 1439))
def test_whatever_the_seed_and_the_day_nobody_is_overdrawn_by_surprise(seed: int, day: int, minute: int) -> None:
    """No account falls below its credit line at any time, what is pending included, and nothing happens in the future."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
    seeded = plan(seed=seed, now=now, personas=FEW)

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
    seeded = plan(personas=FEW)
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


# Month ends, a weekend, a leap day, new year.
DAYS = (
    datetime(2026, 11, 30, 23, 59, tzinfo=UTC),
    datetime(2026, 12, 31, 9, tzinfo=UTC),
    datetime(2027, 1, 1, 0, 1, tzinfo=UTC),
    datetime(2027, 1, 30, 12, tzinfo=UTC),
    datetime(2028, 2, 29, 18, tzinfo=UTC),
    datetime(2028, 3, 1, 3, tzinfo=UTC),
)


@pytest.mark.parametrize("now", DAYS, ids=lambda now: f"{now:%Y-%m-%d}")
def test_what_personas_are_for_is_true_on_any_day(now: datetime) -> None:
    """An overdrawn one is overdrawn the day after its salary too, a new one has nothing, cards have something pending."""
    seeded = plan(now=now, personas=FEW)
    has = {account.owner_name: seeded.journal.positions.get(account.id) for account in reversed(seeded.accounts)}
    pending = {account.owner_name for account in seeded.accounts for hold in seeded.holds if hold.account_id == account.id}
    salaries = [
        one for one in seeded.journal.entries if one.details.code == SALARY and one.details.creditor.name == "Anna Weber"
    ]

    assert has["Tom Becker"] is not None
    assert -400_000 < has["Tom Becker"].balance_minor < 0
    assert has["Nora Novak"] is None
    assert has["Jonas Brandt"] is not None
    assert 0 < has["Jonas Brandt"].balance_minor < 200_000
    assert {"Lucia Moretti", "Clara Fontaine", "Anna Weber"} <= pending
    assert len(salaries) in {13, 14}
    assert max(one.booking_date for one in salaries) > (now - timedelta(days=36)).date()


@pytest.mark.parametrize("seed", range(3))
def test_who_is_overdrawn_is_so_all_year(seed: int) -> None:
    """Before and after the salary, whatever the month."""
    for day in range(0, 366, 14):
        seeded = plan(seed=seed, now=datetime(2027, 1, 2, 23, tzinfo=UTC) + timedelta(days=day), personas=(TOM,))
        assert -400_000 < seeded.journal.positions[seeded.accounts[0].id].balance_minor < 0


@pytest.mark.parametrize(("first", "then"), [(1, 2), (1, 31), (17, 18), (30, 31)])
def test_a_story_goes_on_where_it_stopped(first: int, then: int) -> None:
    """Told until one day and on from there it is what is told at once: every entry, in order, and every balance."""
    began = plan(now=datetime(2027, 5, first, 11, 20, tzinfo=UTC), personas=FEW)
    now = datetime(2027, 5, then, 10, 5, tzinfo=UTC)

    went_on = plan(now=now, personas=FEW, after=began.bookmark)

    whole = plan(now=now, personas=FEW)
    assert went_on.after == began.bookmark
    assert [*began.journal.entries, *went_on.journal.entries] == whole.journal.entries
    assert [*began.journal.postings, *went_on.journal.postings] == whole.journal.postings
    assert (went_on.bookmark, went_on.holds, went_on.accounts) == (whole.bookmark, whole.holds, whole.accounts)
    assert went_on.transactions == whole.transactions


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"now": datetime(2026, 12, 1, tzinfo=UTC)},
        {"now": datetime(2027, 11, 19, tzinfo=UTC)},
        {"now": NOW - timedelta(minutes=1)},
        {"personas": (TOM, NORA)},
        {"country": "FR"},
        {"months": 3},
    ],
    ids="-".join,
)
def test_another_story_begins_anew(other: dict[str, Any]) -> None:
    """A bookmark leads on in its own story only, and to the end of its month."""
    asked = {"personas": (TOM,), "now": NOW, **other}
    bookmark = plan(personas=(TOM,)).bookmark

    told = plan(**asked, after=bookmark)

    assert told == plan(**asked)
    assert told.after is None


def test_the_documentation_is_the_catalogues() -> None:
    """`python -m bank_backend.personas.document > docs/personas.md` writes it."""
    assert (Path(__file__).parents[4] / "docs" / "personas.md").read_text("utf-8") == document()


def test_the_special_cases_are_there() -> None:
    """A joint account, two signatures, a card, a blocked account, several currencies, an overdraft, nothing at all."""
    seeded = plan(personas=FEW)
    holders = Counter(account for _, account in seeded.holders)
    booked = {account.id: seeded.journal.positions.get(account.id) for account in seeded.accounts}

    assert sum(count == 2 for count in holders.values()) >= 3
    assert [account.owner_name for account in seeded.accounts if account.signatures_required == 2] == [
        "Hafenwerk Maschinenbau GmbH"
    ]
    (card,) = [account for account in seeded.accounts if account.is_card]
    assert parse_pan(card.pan) == card.pan
    assert card.settles_with in booked
    assert [account.owner_name for account in seeded.accounts if account.status is AccountStatus.BLOCKED] == ["Viktor Blom"]
    assert {account.currency for account in seeded.accounts} == {"EUR", "USD", "GBP"}
    assert any(position.balance_minor < 0 for position in booked.values() if position)
    assert any(position is None for position in booked.values())


def test_a_purchase_by_card_tells_where_and_what() -> None:
    """The card it was paid with, the kind of shop, and what it cost abroad (BG IG §14.28)."""
    told = [entry.details.particulars for entry in plan(personas=(CLARA,)).journal.entries]

    cards = [particulars.card for particulars in told if particulars and particulars.card]
    assert len(cards) > 400
    assert {card.masked_pan[:4] for card in cards} == {"9999"}
    assert all(card.merchant_category for card in cards)
    assert {card.original.currency for card in cards if card.original} == {"USD"}


def test_one_account_has_ten_thousand_transactions() -> None:
    seeded = plan(personas=(KIOSK,))

    assert sum(posting.account_id == seeded.accounts[0].id for posting in seeded.journal.postings) > 10_000


def test_texts_fit_the_specification() -> None:
    """Names up to 70, remittance up to 140, references up to 35 characters (BG IG §14.24)."""
    for details in [entry.details for entry in plan(personas=FEW).journal.entries]:
        assert len(details.debtor.name) <= 70
        assert len(details.creditor.name) <= 70
        assert 0 < len(details.remittance) <= 140
        assert max(len(details.end_to_end_id), len(details.mandate_id), len(details.creditor_id)) <= 35


@pytest.mark.filterwarnings("ignore::schwifty.exceptions.NationalChecksumNotVerified")
@pytest.mark.parametrize("country", LOCALES)
def test_ibans_are_valid_and_of_no_real_bank(country: str) -> None:
    """National check digits included; neither bank code is in the country's register. Whom one pays, one pays in two months."""
    seeded = plan(country=country, personas=FEW, months=2)
    ibans = [account.iban for account in seeded.accounts if not account.is_card]
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


def test_the_large_account_is_left_out_where_the_operator_wishes() -> None:
    """`BANK_LARGE_ACCOUNT=false`: everybody else is there."""
    assert [persona for persona in PERSONAS if persona not in FEW] == [KIOSK]
    assert seeded_personas(large_account=True) == PERSONAS

"""What a PSU is asked, in its words, and which accounts an approval is for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bank_backend.accounts.model import Account, AccountStatus, AccountUsage
from bank_backend.authorisations.asks import (
    AccountChoice,
    ConsentAsk,
    FundsAsk,
    PaymentAsk,
    chosen_accounts,
    eligible_accounts,
)
from bank_backend.consents.model import Access
from bank_backend.errors import FieldsInvalid
from bank_backend.readable import readable_iban
from bank_backend.references import AccountReference
from psd2.ids import AccountId, TenantId
from psd2.money import Money

CURRENT, SAVINGS, FOREIGN = "DE89370400440532013000", "DE02100100109307118603", "DE75512108001245126199"


def account(iban: str) -> Account:
    return Account(
        id=AccountId(f"id of {iban}"),
        tenant=TenantId("PSDDE-BAFIN-100001"),
        iban=iban,
        bic="MUSTDEFF",
        currency="EUR",
        name="Account",
        product="Giro",
        owner_name="Anna Weber",
        cash_account_type="CACC",
        status=AccountStatus.ENABLED,
        usage=AccountUsage.PRIVATE,
        overdraft_minor=0,
    )


HELD = (account(CURRENT), account(SAVINGS))


def consent_ask(access: Access, choice: AccountChoice, **changes: Any) -> ConsentAsk:
    usual: dict[str, Any] = {"recurring": True, "valid_until": date(2027, 5, 17), "frequency_per_day": 4}
    return ConsentAsk(choice=choice, access=access, **(usual | changes))


def payment_ask(debtor: str = CURRENT) -> PaymentAsk:
    return PaymentAsk(
        references=(AccountReference(debtor),),
        amount=Money(123450, "EUR"),
        creditor_name="Merchant",
        creditor_iban=FOREIGN,
        remittance="",
    )


OFFERED = consent_ask(Access(balances=()), AccountChoice.OFFERED)


def test_a_payments_statement_names_amount_and_payee() -> None:
    """What RTS Art. 5 (1)(a) wants the payer to be aware of."""
    expected = "you pay 1,234.50 EUR to Merchant, DE75 5121 0800 1245 1261 99 from DE89 3704 0044 0532 0130 00"

    assert payment_ask().statement("Tpp", HELD[:1]) == expected


def test_a_consents_statement_names_what_of_which_account_how_long_how_often() -> None:
    """Accounts with the same rights stand together."""
    both, one = (AccountReference(CURRENT), AccountReference(SAVINGS)), (AccountReference(CURRENT),)
    ask = consent_ask(Access(balances=both, transactions=one), AccountChoice.NAMED)

    assert ask.statement("Fintech", HELD) == (
        "Fintech may see the details, balance and transactions of DE89 3704 0044 0532 0130 00, and "
        "the details and balance of DE02 1001 0010 9307 1186 03 until 17 May 2027, up to 4 times a day"
    )


def test_a_one_off_consents_statement_says_once() -> None:
    """No date, no frequency."""
    ask = consent_ask(Access(balances=()), AccountChoice.OFFERED, recurring=False)

    assert ask.statement("Fintech", HELD[:1]).endswith("of DE89 3704 0044 0532 0130 00 once")


def test_a_funds_consents_statement_says_that_it_stands() -> None:
    """Until it is revoked."""
    ask = FundsAsk(references=(AccountReference(CURRENT),), card_number="", card_information="", registration_information="")

    assert "whether DE89 3704 0044 0532 0130 00 covers an amount" in ask.statement("Issuer", HELD[:1])


def test_named_accounts_are_sorted_into_held_and_foreign() -> None:
    """An account that the PSU does not hold is said to be foreign."""
    both = (AccountReference(SAVINGS), AccountReference(FOREIGN))
    found = eligible_accounts(consent_ask(Access(balances=both), AccountChoice.NAMED), HELD)

    assert found.accounts == (HELD[1],)
    assert found.foreign == (AccountReference(FOREIGN),)


@pytest.mark.parametrize("wanted", [[CURRENT], [f"id of {CURRENT}"], [CURRENT, f"id of {CURRENT}"]])
def test_a_choice_by_iban_or_id(wanted: list[str]) -> None:
    """Both name the account."""
    assert chosen_accounts(OFFERED, HELD, wanted) == HELD[:1]


def test_no_choice_is_everything_that_is_offered() -> None:
    """Headless approval without `accounts`."""
    assert chosen_accounts(OFFERED, HELD, None) == HELD


@pytest.mark.parametrize(
    ("ask", "wanted", "field"),
    [
        (OFFERED, [], "accounts"),
        (OFFERED, [FOREIGN], "accounts"),
        (OFFERED, [CURRENT, FOREIGN], "accounts"),
        (payment_ask(FOREIGN), None, "psu"),
        (payment_ask(CURRENT), [SAVINGS], "accounts"),
        (
            consent_ask(Access(balances=(AccountReference(CURRENT), AccountReference(SAVINGS))), AccountChoice.NAMED),
            [CURRENT],
            "accounts",
        ),
    ],
)
def test_what_can_not_be_chosen_is_named(ask: Any, wanted: list[str] | None, field: str) -> None:
    """Nothing chosen, not offered (alone or beside what is), not held, not the request's account, and half of what is asked."""
    with pytest.raises(FieldsInvalid) as refused:
        chosen_accounts(ask, HELD, wanted)

    assert set(refused.value.fields) == {field}


def test_a_payments_words_name_amount_payee_and_account() -> None:
    """Everything the payer has to know, and the amount once more on the button (RTS 2018/389 Art. 5 (1)(a))."""
    wording = payment_ask().wording("Fintech", HELD[:1])

    assert wording.total == Money(123450, "EUR")
    assert wording.confirm == "Pay 1,234.50 EUR"
    assert [(line.term, line.text) for line in wording.lines[:2]] == [("To", "Merchant"), ("From", "Account")]
    assert [line.detail for line in wording.lines[:2]] == [readable_iban(FOREIGN), readable_iban(CURRENT)]


def test_a_card_number_is_masked_in_words() -> None:
    """Only its holder recognises it."""
    ask = FundsAsk(
        references=(AccountReference(CURRENT),),
        card_number="5409050000001234",
        card_information="",
        registration_information="",
    )

    lines = ask.wording("Fintech", HELD[:1]).lines

    assert [line.text for line in lines if line.term == "For card"] == ["\N{BULLET}" * 4 + " 1234"]
    assert not [line for line in lines if line.term == "Registered as"]

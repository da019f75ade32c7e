"""Who pays whom in the examples."""

from __future__ import annotations

from sandbox.samples.model import payment_example
from sandbox.tenants.model import Persona, PersonaAccount


def persona(psu: str, *accounts: tuple[str, str]) -> Persona:
    held = tuple(PersonaAccount(id=iban, iban=iban, currency=currency) for iban, currency in accounts)
    return Persona(psu=psu, name=psu.title(), purpose="", password="", accounts=held)


ANNA = persona("anna", ("A-EUR", "EUR"))


def test_another_persona_of_the_same_currency_is_paid() -> None:
    """The first one that has an account in it."""
    dora, emil = persona("dora", ("D-USD", "USD")), persona("emil", ("E-EUR", "EUR"))

    example = payment_example([ANNA, dora, emil], ANNA)

    assert example is not None
    assert (example.debtor_iban, example.creditor_iban, example.creditor_name) == ("A-EUR", "E-EUR", "Emil")
    assert str(example.amount) == "12.00 EUR"


def test_a_joint_account_does_not_pay_itself() -> None:
    """The bank would refuse it: debtor and creditor are one account."""
    helga, karl = persona("helga", ("J", "EUR")), persona("karl", ("J", "EUR"), ("K", "EUR"))

    example = payment_example([helga, karl], helga)

    assert example is not None
    assert example.creditor_iban == "K"


def test_nobody_to_pay() -> None:
    """Then there is no example."""
    assert payment_example([ANNA, persona("dora", ("D-USD", "USD"))], ANNA) is None
    assert payment_example([ANNA, persona("poor")], persona("poor")) is None

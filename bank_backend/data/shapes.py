"""More people by shape: of which kinds, how many, with how many accounts and transactions. The same seed, the same people."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Final

from faker import Faker

from bank_backend.personas.business import MIRA, NORDLICHT
from bank_backend.personas.countries import LOCALES
from bank_backend.personas.households import CLARA, SOFIA, VIKTOR
from bank_backend.personas.model import AccountPlan, Monthly, Often, Persona
from bank_backend.personas.private import ANNA, JONAS, KARL, LUCIA, NORA, TOM
from bank_backend.personas.trade import KIOSK, PETRA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.personas.model import Habit

KINDS: Final = {
    "salaried": ANNA,
    "student": JONAS,
    "freelancer": MIRA,
    "retired": KARL,
    "family": SOFIA,
    "company": NORDLICHT,
    "signatories": PETRA,
    "multi-currency": LUCIA,
    "card": CLARA,
    "overdrawn": TOM,
    "blocked": VIKTOR,
    "new": NORA,
    "merchant": KIOSK,
}
_COMPANIES: Final = frozenset({"company", "merchant"})
MOST_PERSONAS, MOST_ACCOUNTS, MOST_MONTHS, MOST_TRANSACTIONS = 50, 20, 36, 50_000
_SAVINGS_MINOR: Final = 120_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is wished for. `accounts` and `transactions` are for each person: at least so many, about so many."""

    seed: int
    country: str
    kinds: tuple[str, ...]
    personas: int
    months: int
    accounts: int | None = None
    transactions: int | None = None


def personas_of(shape: Shape) -> list[Persona]:
    """Return the people, those who only share an account among them."""
    faker = Faker(LOCALES[shape.country])
    # Test data that must come out the same again: chance here protects nothing.
    faker.seed_instance(f"{shape.seed} {shape.country}")
    people: list[Persona] = []
    for number in range(shape.personas):
        people.extend(_of_kind(shape.kinds[number % len(shape.kinds)], shape, faker, len(people) + 1))
    return people


def expected_transactions(personas: Sequence[Persona], months: int) -> int:
    """Return about how many transactions they have."""
    return round(sum(_per_month(habit) for persona in personas for habit in persona.habits) * months)


def _of_kind(kind: str, shape: Shape, faker: Faker, number: int) -> list[Persona]:
    model = KINDS[kind]
    main = _named(model, faker.company() if kind in _COMPANIES else faker.name(), shape, number)
    partners = {login for plan in model.accounts for login in plan.joint_with}
    companions = [
        Persona(
            login="",
            name=faker.name(),
            purpose=f"Shares an account of {main.login}",
            accounts=(),
            habits=(),
            roles={},
        )
        for _ in sorted(partners)
    ]
    named = [_named(each, each.name, shape, number + place) for place, each in enumerate(companions, start=1)]
    logins = tuple(each.login for each in named)
    owner = faker.company() if kind == "signatories" else ""
    accounts = [
        replace(plan, joint_with=logins if plan.joint_with else (), owner_name=owner if plan.owner_name else "")
        for plan in main.accounts
    ]
    purpose = f"Generated ({kind}): {model.purpose}"[:200]
    shaped = replace(main, purpose=purpose, accounts=(*accounts, *_savings(shape, len(accounts))))
    return [_busy(shaped, shape), *named]


def _named(persona: Persona, name: str, shape: Shape, number: int) -> Persona:
    return replace(persona, name=name[:70], login=f"{_slug(name)}-{shape.seed}-{number}")


def _slug(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", ".", ascii_only).strip(".")[:30].strip(".") or "psu"


def _savings(shape: Shape, present: int) -> list[AccountPlan]:
    rng = Random(f"{shape.seed} savings")  # noqa: S311 - test data, as above
    return [
        AccountPlan(
            key=f"savings {number}",
            name=f"Savings {number}",
            product="Instant Access Savings",
            cash_account_type="SVGS",
            closing_minor=rng.randint(1, 40) * _SAVINGS_MINOR,
        )
        for number in range(present + 1, (shape.accounts or 0) + 1)
    ]


def _busy(persona: Persona, shape: Shape) -> Persona:
    """Return the persona with habits so often that it comes to the transactions that are wished for."""
    if shape.transactions is None:
        return persona
    often = sum(_per_month(habit) for habit in persona.habits if isinstance(habit.when, Often))
    monthly = sum(_per_month(habit) for habit in persona.habits if isinstance(habit.when, Monthly))
    wanted = max(0.0, shape.transactions / shape.months - monthly)
    factor = wanted / often if often else 0.0
    return replace(persona, habits=tuple(_scaled(habit, factor) for habit in persona.habits))


def _scaled(habit: Habit, factor: float) -> Habit:
    return replace(habit, when=Often(habit.when.per_month * factor)) if isinstance(habit.when, Often) else habit


def _per_month(habit: Habit) -> float:
    return habit.when.per_month if isinstance(habit.when, Often) else len(habit.when.months) / 12

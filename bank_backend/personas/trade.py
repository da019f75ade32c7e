"""Personas for special cases of business banking: two signatures, and very many transactions."""

from __future__ import annotations

from typing import Final

from bank_backend.personas import habits
from bank_backend.personas.habits import FUEL
from bank_backend.personas.model import (
    COMPANY,
    PERSON,
    TRANSFER_IN,
    TRANSFER_OUT,
    AccountPlan,
    Habit,
    Often,
    Persona,
    Way,
)

PETRA: Final = Persona(
    login="petra.hofmann",
    name="Petra Hofmann",
    purpose="Director of a company whose account takes two signatures: payments wait, partially authorised, for igor.stein",
    accounts=(
        AccountPlan(
            key="company",
            name="Hafenwerk Operating Account",
            product="Business Account",
            closing_minor=4_318_000,
            cushion_minor=250_000,
            overdraft_minor=2_000_000,
            is_professional=True,
            joint_with=("igor.stein",),
            owner_name="Hafenwerk Maschinenbau GmbH",
            signatures_required=2,
        ),
    ),
    habits=(
        Habit(
            account="company",
            when=Often(9),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("{customer one}", "{customer two}", "{customer three}"),
            amounts=(180_000, 940_000),
            text="Invoice {number}",
        ),
        Habit(
            account="company",
            when=Often(8),
            way=Way.OUT,
            code=TRANSFER_OUT,
            who=("{steel}", "{tools}", "{haulier}"),
            amounts=(45_000, 390_000),
            text="Your invoice {number}",
        ),
        *(
            habits.standing_order("company", f"{{employee {number}}}", minor, day=27, text="Salary {month} {year}")
            for number, minor in enumerate((398_200, 341_900, 312_400, 286_700), start=1)
        ),
        habits.direct_debit("company", "Stadtwerke Energie", 88_000, 164_000, day=5, text="Electricity hall 2 {month} {year}"),
        habits.shopping("company", FUEL, 5_100, 13_900, per_month=4),
        habits.charges("company", 2_900, 4_700, text="Account fees {month} {year}"),
    ),
    roles={
        "{customer one}": COMPANY,
        "{customer two}": COMPANY,
        "{customer three}": COMPANY,
        "{steel}": COMPANY,
        "{tools}": COMPANY,
        "{haulier}": COMPANY,
        **{f"{{employee {number}}}": PERSON for number in range(1, 5)},
    },
)

IGOR: Final = Persona(
    login="igor.stein",
    name="Igor Stein",
    purpose="The second signatory of petra.hofmann's company: nothing of its account is consented or paid without him",
    accounts=(),
    habits=(),
    roles={},
)

KIOSK: Final = Persona(
    login="kiosk.seeblick",
    name="Kiosk am Seeblick",
    purpose="A shop with more than 10,000 transactions in one account: pagination, large lists, downloads, slow clients",
    accounts=(
        AccountPlan(
            key="till",
            name="Till",
            product="Business Account",
            closing_minor=1_482_000,
            cushion_minor=20_000,
            is_professional=True,
        ),
    ),
    habits=(
        habits.receipts("till", 150, 2_400, per_month=785),
        Habit(
            account="till",
            when=Often(11),
            way=Way.OUT,
            code=TRANSFER_OUT,
            who=("{press}", "{drinks}", "{bakery}"),
            amounts=(24_000, 78_000),
            text="Your invoice {number}",
        ),
        habits.rent("till", 98_000),
        habits.charges("till", 4_900, 9_800, text="Card terminal {month} {year}"),
    ),
    roles={"{landlord}": COMPANY, "{press}": COMPANY, "{drinks}": COMPANY, "{bakery}": COMPANY},
)

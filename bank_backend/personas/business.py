"""Personas that bank for a business: what each is for, and what their money does."""

from __future__ import annotations

from typing import Final

from bank_backend.personas import habits
from bank_backend.personas.habits import CAFES, FUEL, GROCERS, SHOPS, TRAVEL
from bank_backend.personas.model import (
    COMPANY,
    DIRECT_DEBIT,
    PERSON,
    TRANSFER_IN,
    TRANSFER_OUT,
    AccountPlan,
    Habit,
    Monthly,
    Often,
    Persona,
    Way,
)

MIRA: Final = Persona(
    login="mira.kowalski",
    name="Mira Kowalski",
    purpose="Freelance designer: income at irregular times, a tax reserve, affordability and cash-flow analysis",
    accounts=(
        AccountPlan(
            key="business",
            name="Studio Kowalski",
            product="Freelancer Account",
            closing_minor=612_300,
            cushion_minor=40_000,
            overdraft_minor=300_000,
        ),
        AccountPlan(
            key="tax", name="Tax Reserve", product="Instant Access Savings", cash_account_type="SVGS", closing_minor=884_000
        ),
    ),
    habits=(
        Habit(
            account="business",
            when=Often(2.4),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("{client one}", "{client two}", "{client three}", "{client four}"),
            amounts=(34_000, 290_000),
            text="Invoice {number}",
            step=500,
        ),
        habits.rent("business", 74_500),
        habits.standing_order("business", "{coworking}", 24_000, day=2, text="Desk {month} {year}"),
        habits.saving("business", "tax", 60_000, day=20, text="Tax reserve"),
        Habit(
            account="tax",
            when=Monthly(10, frozenset({3, 6, 9, 12})),
            way=Way.OUT,
            code=TRANSFER_OUT,
            who=("Tax Office",),
            amounts=(92_000, 168_000),
            text="Advance payment income tax, tax number 27/184/02931",
        ),
        habits.direct_debit("business", "Vitalis Health Insurance", 38_940, 38_940, day=15, text="Contribution {month} {year}"),
        habits.subscription("business", "Pixelforge Suite", 6_549, day=6),
        habits.subscription("business", "Cloudbarn Hosting", 1_190, day=9),
        habits.shopping("business", GROCERS, 650, 7_200, per_month=9),
        habits.shopping("business", CAFES, 320, 1_650, per_month=10),
        habits.shopping("business", SHOPS, 2_400, 48_900, per_month=1.5),
        habits.shopping("business", TRAVEL, 1_890, 21_400, per_month=1.8),
        habits.charges("business", 1_290, 1_290, text="Account fee {month} {year}"),
    ),
    roles={
        "{client one}": COMPANY,
        "{client two}": COMPANY,
        "{client three}": COMPANY,
        "{client four}": PERSON,
        "{landlord}": PERSON,
        "{coworking}": COMPANY,
    },
)

NORDLICHT: Final = Persona(
    login="nordlicht.gmbh",
    name="Nordlicht Handels GmbH",
    purpose="Trading company: many transactions (pagination), a payroll, professional usage, a credit line",
    accounts=(
        AccountPlan(
            key="main",
            name="Operating Account",
            product="Business Account",
            closing_minor=8_940_000,
            cushion_minor=500_000,
            overdraft_minor=5_000_000,
            is_professional=True,
        ),
        AccountPlan(key="payroll", name="Payroll", product="Business Account", closing_minor=1_120_000, is_professional=True),
    ),
    habits=(
        Habit(
            account="main",
            when=Often(42.5),
            way=Way.IN,
            code=TRANSFER_IN,
            who=tuple(f"{{customer {number}}}" for number in range(1, 13)),
            amounts=(18_500, 389_000),
            text="Invoice {number}",
        ),
        Habit(
            account="main",
            when=Often(22),
            way=Way.OUT,
            code=TRANSFER_OUT,
            who=tuple(f"{{supplier {number}}}" for number in range(1, 8)),
            amounts=(24_000, 412_000),
            text="Your invoice {number}",
        ),
        habits.saving("main", "payroll", 2_460_000, day=24, text="Payroll funding"),
        *(
            habits.standing_order("payroll", f"{{employee {number}}}", minor, day=26, text="Salary {month} {year}")
            for number, minor in enumerate((412_300, 376_450, 351_900, 338_720, 329_180, 318_640, 297_500), start=1)
        ),
        habits.standing_order("main", "{landlord}", 420_000, day=1, text="Warehouse 3 {month} {year}"),
        Habit(
            account="main",
            when=Monthly(10),
            way=Way.OUT,
            code=DIRECT_DEBIT,
            who=("Tax Office",),
            amounts=(380_000, 910_000),
            text="VAT {month} {year}",
        ),
        habits.direct_debit("main", "Stadtwerke Energie", 58_000, 92_000, day=5, text="Electricity warehouse {month} {year}"),
        habits.direct_debit("main", "Helvia Insurance", 31_200, 31_200, day=15, text="Business liability"),
        habits.shopping("main", FUEL, 5_400, 14_800, per_month=6),
        habits.charges("main", 3_900, 6_800, text="Account fees {month} {year}"),
    ),
    roles={
        "{landlord}": COMPANY,
        **{f"{{customer {number}}}": COMPANY for number in range(1, 13)},
        **{f"{{supplier {number}}}": COMPANY for number in range(1, 8)},
        **{f"{{employee {number}}}": PERSON for number in range(1, 8)},
    },
)

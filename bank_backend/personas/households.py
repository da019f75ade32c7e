"""Personas for special cases of private banking: a family, a card, a blocked account."""

from __future__ import annotations

from typing import Final

from bank_backend.accounts.model import AccountStatus
from bank_backend.personas import habits
from bank_backend.personas.habits import CAFES, FUEL, GROCERS, PHARMACIES, RESTAURANTS, SHOPS, TRAVEL
from bank_backend.personas.model import COMPANY, PERSON, TRANSFER_IN, AccountPlan, Habit, Monthly, Persona, Way

SOFIA: Final = Persona(
    login="sofia.duarte",
    name="Sofia Duarte",
    purpose="Family with a joint account, two incomes and a mortgage: either parent may consent to it and pay from it alone",
    accounts=(
        AccountPlan(
            key="family",
            name="Family Account",
            product="Joint Account",
            closing_minor=231_500,
            cushion_minor=25_000,
            joint_with=("miguel.duarte",),
        ),
        AccountPlan(key="own", name="Sofia", product="Current Account", closing_minor=64_300),
        AccountPlan(
            key="children",
            name="For the children",
            product="Instant Access Savings",
            cash_account_type="SVGS",
            closing_minor=412_000,
        ),
    ),
    habits=(
        habits.salary("own", 241_800, day=26),
        habits.saving("own", "family", 165_000, day=27, text="Household"),
        habits.shopping("own", CAFES, 320, 1_250, per_month=6),
        habits.shopping("own", SHOPS, 1_900, 11_500, per_month=2),
        Habit(
            account="family",
            when=Monthly(10),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("Family Benefits Office",),
            amounts=(51_000, 51_000),
            text="Child benefit {month} {year}",
        ),
        habits.direct_debit("family", "Hausbank Mortgage", 118_400, 118_400, day=1, text="Mortgage 4471902 {month} {year}"),
        habits.direct_debit("family", "Stadtwerke Energie", 14_200, 21_900, day=5, text="Electricity and gas {month} {year}"),
        habits.standing_order("family", "{kindergarten}", 28_600, day=2, text="Kindergarten {month} {year}"),
        habits.standing_order("family", "{music school}", 6_400, day=3, text="Piano lessons"),
        habits.saving("family", "children", 10_000, day=15, text="Savings plan"),
        habits.subscription("family", "Streamcast Video", 1_899, day=11),
        habits.shopping("family", GROCERS, 1_200, 14_800, per_month=15),
        habits.shopping("family", PHARMACIES, 590, 4_100, per_month=2),
        habits.shopping("family", FUEL, 4_400, 9_100, per_month=3),
        habits.cash("family", per_month=1.5),
    ),
    roles={"{employer}": COMPANY, "{kindergarten}": COMPANY, "{music school}": PERSON},
)

MIGUEL: Final = Persona(
    login="miguel.duarte",
    name="Miguel Duarte",
    purpose="The other parent of sofia.duarte's family: shares the joint account, and has one of his own that she can't see",
    accounts=(AccountPlan(key="own", name="Miguel", product="Current Account", closing_minor=118_900, cushion_minor=5_000),),
    habits=(
        habits.salary("own", 304_600, day=27),
        habits.standing_order("own", "{family}", 150_000, day=28, text="Household"),
        habits.direct_debit("own", "Mobilo Contract", 3_999, 3_999, day=12, text="Phone"),
        habits.subscription("own", "Fitwerk Studio", 2_990, day=3),
        habits.shopping("own", FUEL, 4_800, 8_800, per_month=3),
        habits.shopping("own", RESTAURANTS, 990, 3_900, per_month=5),
        habits.shopping("own", SHOPS, 1_500, 18_000, per_month=1.5),
    ),
    roles={"{employer}": COMPANY, "{family}": PERSON},
)

CLARA: Final = Persona(
    login="clara.fontaine",
    name="Clara Fontaine",
    purpose="Pays everything by credit card: a card account with its limit, purchases abroad, pending card transactions",
    accounts=(
        AccountPlan(
            key="current", name="Main Account", product="Current Account Plus", closing_minor=196_400, cushion_minor=20_000
        ),
        AccountPlan(
            key="card",
            name="Sandbox Card Gold",
            product="Credit Card Gold",
            cash_account_type="CARD",
            closing_minor=-84_300,
            cushion_minor=-430_000,
            overdraft_minor=500_000,
            settles_with="current",
            billing_day=20,
        ),
    ),
    habits=(
        habits.salary("current", 352_700, day=25),
        habits.rent("current", 112_000),
        habits.saving("current", "card", 175_000, day=28, text="Settlement of card account"),
        habits.shopping("card", GROCERS, 690, 8_900, per_month=13),
        habits.shopping("card", CAFES, 310, 1_590, per_month=18),
        habits.shopping("card", RESTAURANTS, 1_350, 7_900, per_month=9),
        habits.shopping("card", SHOPS, 990, 16_900, per_month=6),
        habits.shopping("card", FUEL, 4_100, 8_200, per_month=2),
        habits.shopping("card", TRAVEL, 1_900, 22_900, per_month=2.5, abroad="USD"),
    ),
    roles={"{employer}": COMPANY, "{landlord}": PERSON},
)

VIKTOR: Final = Persona(
    login="viktor.blom",
    name="Viktor Blom",
    purpose="His current account is blocked: payments from and to it are refused, and its status says so; savings stay usable",
    accounts=(
        AccountPlan(
            key="current",
            name="Main Account",
            product="Current Account",
            closing_minor=52_800,
            cushion_minor=1_500,
            status=AccountStatus.BLOCKED,
        ),
        AccountPlan(
            key="savings", name="Savings", product="Instant Access Savings", cash_account_type="SVGS", closing_minor=305_000
        ),
    ),
    habits=(
        habits.salary("current", 208_900, day=26),
        habits.rent("current", 71_500),
        habits.direct_debit("current", "Stadtwerke Energie", 5_900, 8_700, day=5, text="Electricity {month} {year}"),
        habits.shopping("current", GROCERS, 590, 6_900, per_month=9),
        habits.shopping("current", CAFES, 290, 1_100, per_month=4),
        habits.cash("current", per_month=3, high=12_000),
        habits.interest("savings", 590, 1_480),
    ),
    roles={"{employer}": COMPANY, "{landlord}": PERSON},
)

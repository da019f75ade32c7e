"""Personas that bank for themselves: what each is for, and what their money does."""

from __future__ import annotations

from typing import Final

from bank_backend.personas import habits
from bank_backend.personas.habits import CAFES, FUEL, GROCERS, PHARMACIES, RESTAURANTS, SHOPS, TRAVEL
from bank_backend.personas.model import (
    COMPANY,
    PERSON,
    STANDING_ORDER,
    TRANSFER_IN,
    AccountPlan,
    Habit,
    Monthly,
    Often,
    Persona,
    Way,
)

ANNA: Final = Persona(
    login="anna.weber",
    name="Anna Weber",
    purpose="Salaried, current and savings account: the first one to try; one consent covers two accounts",
    accounts=(
        AccountPlan(
            key="current", name="Main Account", product="Current Account Plus", closing_minor=284_700, cushion_minor=15_000
        ),
        AccountPlan(
            key="savings", name="Rainy Day", product="Instant Access Savings", cash_account_type="SVGS", closing_minor=1_143_000
        ),
    ),
    habits=(
        habits.salary("current", 318_450),
        habits.rent("current", 89_000),
        habits.saving("current", "savings", 60_000, day=2),
        habits.direct_debit("current", "Stadtwerke Energie", 6_400, 9_800, day=5, text="Electricity and gas {month} {year}"),
        habits.direct_debit("current", "Fibernet Telecom", 3_995, 3_995, day=8, text="Internet contract 7731042"),
        habits.direct_debit("current", "Helvia Insurance", 4_120, 4_120, day=15, text="Household and liability insurance"),
        habits.subscription("current", "Streamcast Video", 1_299, day=11),
        habits.subscription("current", "Tonwelle Music", 1_099, day=14),
        habits.subscription("current", "Fitwerk Studio", 2_990, day=3),
        habits.standing_order("current", "Metro Transit", 4_900, day=1, text="Monthly pass {month} {year}"),
        habits.shopping("current", GROCERS, 780, 9_650, per_month=10),
        habits.shopping("current", CAFES, 290, 1_480, per_month=7),
        habits.shopping("current", RESTAURANTS, 1_450, 6_800, per_month=3),
        habits.shopping("current", SHOPS, 1_190, 13_900, per_month=2),
        habits.shopping("current", PHARMACIES, 495, 3_280, per_month=0.7),
        habits.cash("current", per_month=1.5, high=15_000),
        habits.interest("savings", 2_150, 4_280),
    ),
    roles={"{employer}": COMPANY, "{landlord}": PERSON},
)

JONAS: Final = Persona(
    login="jonas.brandt",
    name="Jonas Brandt",
    purpose="Student with little money: payments and funds confirmations that the account can't cover",
    accounts=(
        AccountPlan(
            key="current", name="Student Account", product="Free Student Account", closing_minor=4_870, cushion_minor=310
        ),
    ),
    habits=(
        habits.standing_order("current", "{dormitory}", 31_500, day=3, text="Room 412 {month} {year}"),
        Habit(
            account="current",
            when=Monthly(1),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("{parent}",),
            amounts=(35_500, 35_500),
            text="For you, {month}",
        ),
        Habit(
            account="current",
            when=Monthly(28),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("{bar}",),
            amounts=(21_500, 39_800),
            text="Wages student job {month}",
        ),
        habits.subscription("current", "Mobilo Prepaid", 999, day=12),
        habits.subscription("current", "Tonwelle Music Student", 599, day=14),
        habits.shopping("current", GROCERS, 340, 2_950, per_month=11),
        habits.shopping("current", CAFES, 210, 780, per_month=9),
        habits.shopping("current", RESTAURANTS, 690, 1_850, per_month=4),
        habits.cash("current", per_month=2, high=4_000),
    ),
    roles={"{dormitory}": COMPANY, "{parent}": PERSON, "{bar}": COMPANY},
)

KARL: Final = Persona(
    login="karl.lindner",
    name="Karl Lindner",
    purpose="Retired, with a joint account: one account with two holders, and one of his own",
    accounts=(
        AccountPlan(
            key="joint",
            name="Household Account",
            product="Joint Account",
            closing_minor=418_200,
            cushion_minor=20_000,
            joint_with=("helga.lindner",),
        ),
        AccountPlan(key="own", name="Karl Lindner", product="Current Account", closing_minor=96_400),
    ),
    habits=(
        Habit(
            account="own",
            when=Monthly(28),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("State Pension Fund",),
            amounts=(174_230, 174_230),
            text="Pension {month} {year}",
        ),
        habits.saving("own", "joint", 98_000, day=1, text="Household money"),
        habits.standing_order("own", "{grandchild}", 25_000, day=2, text="College fund"),
        habits.direct_debit("own", "Helvia Insurance", 7_890, 7_890, day=9, text="Car insurance B-KL 512"),
        Habit(
            account="joint",
            when=Monthly(28),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("State Pension Fund",),
            amounts=(118_610, 118_610),
            text="Pension H. Lindner {month} {year}",
        ),
        habits.direct_debit(
            "joint", "Stadtwerke Energie", 11_800, 17_400, day=5, text="Electricity and heating {month} {year}"
        ),
        habits.direct_debit("joint", "Helvia Insurance", 9_860, 9_860, day=15, text="House insurance"),
        habits.direct_debit("joint", "Kabelwerk TV", 3_490, 3_490, day=8, text="Television and telephone"),
        habits.standing_order("joint", "{grandchild}", 5_000, day=4, text="Pocket money"),
        habits.shopping("joint", GROCERS, 1_480, 12_300, per_month=12),
        habits.shopping("joint", PHARMACIES, 890, 6_450, per_month=2.5),
        habits.shopping("joint", RESTAURANTS, 2_900, 7_600, per_month=1.5),
        habits.cash("joint", per_month=2.5, high=40_000),
        habits.shopping("own", FUEL, 3_900, 8_200, per_month=2),
        habits.shopping("own", SHOPS, 990, 8_400, per_month=1.5),
    ),
    roles={"{grandchild}": PERSON},
)

HELGA: Final = Persona(
    login="helga.lindner",
    name="Helga Lindner",
    purpose="Shares the joint account of karl.lindner and holds nothing alone: the same account in two people's consents",
    accounts=(),
    habits=(),
    roles={},
)

LUCIA: Final = Persona(
    login="lucia.moretti",
    name="Lucia Moretti",
    purpose="Travels and pays by card: accounts in euro, US dollar and pound sterling, many pending transactions",
    accounts=(
        AccountPlan(key="euro", name="Everyday", product="Traveller Account", closing_minor=361_900, cushion_minor=30_000),
        AccountPlan(key="dollar", name="US Dollars", product="Currency Account", currency="USD", closing_minor=184_250),
        AccountPlan(key="pound", name="Pounds", product="Currency Account", currency="GBP", closing_minor=72_600),
    ),
    habits=(
        habits.salary("euro", 462_800, day=25),
        habits.rent("euro", 148_000),
        habits.subscription("euro", "Mobilo Roaming", 2_499, day=7),
        habits.subscription("euro", "Streamcast Video", 1_299, day=11),
        habits.shopping("euro", GROCERS, 890, 6_700, per_month=9),
        habits.shopping("euro", CAFES, 350, 1_720, per_month=16),
        habits.shopping("euro", RESTAURANTS, 1_650, 9_200, per_month=9),
        habits.shopping("euro", TRAVEL, 1_290, 38_900, per_month=6.5),
        habits.shopping("euro", SHOPS, 1_500, 19_900, per_month=3),
        Habit(
            account="dollar",
            when=Often(0.6),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("{publisher}",),
            amounts=(25_000, 90_000),
            text="Royalties {number}",
        ),
        habits.shopping("dollar", TRAVEL, 2_100, 28_000, per_month=1.4),
        habits.shopping("dollar", RESTAURANTS, 1_200, 6_900, per_month=2),
        Habit(
            account="pound",
            when=Often(0.4),
            way=Way.IN,
            code=TRANSFER_IN,
            who=("{friend}",),
            amounts=(8_000, 35_000),
            text="Thanks for London!",
        ),
        habits.shopping("pound", CAFES, 280, 1_100, per_month=2),
    ),
    roles={"{employer}": COMPANY, "{landlord}": PERSON, "{publisher}": COMPANY, "{friend}": PERSON},
)

TOM: Final = Persona(
    login="tom.becker",
    name="Tom Becker",
    purpose="Overdrawn within his credit line: negative balances, a credit limit in balances, a tight budget",
    accounts=(
        AccountPlan(
            key="current",
            name="Current Account",
            product="Current Account",
            closing_minor=-34_600,
            cushion_minor=-380_000,
            ceiling_minor=-9_000,
            overdraft_minor=400_000,
        ),
    ),
    habits=(
        habits.salary("current", 191_600, day=28),
        habits.rent("current", 78_000),
        Habit(
            account="current",
            when=Monthly(3),
            way=Way.OUT,
            code=STANDING_ORDER,
            who=("Kreditwerk Consumer Finance",),
            amounts=(28_900, 28_900),
            text="Loan 88-40127, instalment {month}",
        ),
        habits.direct_debit("current", "Stadtwerke Energie", 7_200, 9_900, day=5, text="Electricity {month} {year}"),
        habits.direct_debit("current", "Mobilo Contract", 5_990, 5_990, day=12, text="Two phones"),
        habits.shopping("current", GROCERS, 690, 6_200, per_month=9),
        habits.shopping("current", FUEL, 4_000, 7_500, per_month=3),
        habits.shopping("current", ("Luckyplay Online", "Gamebay Store"), 500, 5_000, per_month=3),
        habits.cash("current", per_month=2, high=10_000),
        habits.charges("current", 900, 2_400, text="Overdraft interest {month} {year}"),
    ),
    roles={"{employer}": COMPANY, "{landlord}": PERSON},
)

NORA: Final = Persona(
    login="nora.novak",
    name="Nora Novak",
    purpose="New customer: an account opened today, without a single transaction",
    accounts=(
        AccountPlan(key="current", name="Main Account", product="Current Account Plus", closing_minor=0, cushion_minor=0),
    ),
    habits=(),
    roles={},
)

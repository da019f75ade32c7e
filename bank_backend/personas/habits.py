"""Habits that most people share, so that a persona's page says only what is special about it."""

from __future__ import annotations

from typing import Final

from bank_backend.personas.model import (
    CARD,
    CARD_RECEIPT,
    CASH,
    CHARGES,
    DIRECT_DEBIT,
    INTEREST,
    OWN_TRANSFER,
    SALARY,
    STANDING_ORDER,
    Habit,
    Monthly,
    Often,
    Way,
)

# All fictional. A merchant's name is what a card statement shows.
GROCERS: Final = ("Frischland Markt", "Korb & Kiste", "Gruenhof Bio", "Tante Emma 24", "Marktplatz Supermarkt")
CAFES: Final = ("Cafe Morgenrot", "Bakery Kornblume", "Roastery No. 5", "Bistro Am Kanal")
RESTAURANTS: Final = ("Trattoria Bella Ora", "Sushi Kumo", "Taverna Olymp", "Curry Garden", "Burger Werkstatt")
SHOPS: Final = ("Mode Lindgren", "Techline Store", "Buchhandlung Seitenweise", "Sport Gipfel", "Wohnwerk Moebel")
PHARMACIES: Final = ("Linden Pharmacy", "Stern Pharmacy", "Pharmacy am Markt")
FUEL: Final = ("Turmoil Energy Station 214", "Route 9 Fuel", "Nordtank")
TRAVEL: Final = ("Skyhopper Airlines", "Hotel Miramar", "Railways Direct", "CityCab", "Coastline Ferries")
CASH_MACHINE: Final = ("Cash machine",)
# ISO 18245.
_CATEGORIES: Final = {
    GROCERS: "5411",
    CAFES: "5814",
    RESTAURANTS: "5812",
    SHOPS: "5651",
    PHARMACIES: "5912",
    FUEL: "5541",
    TRAVEL: "4722",
}


def salary(account: str, minor: int, *, day: int = 27) -> Habit:
    """Be paid by `{employer}` once a month."""
    return _once(
        account, day, way=Way.IN, code=SALARY, payee="{employer}", amounts=(minor, minor), text="Salary {month} {year}"
    )


def rent(account: str, minor: int) -> Habit:
    """Pay the `{landlord}` by standing order."""
    return standing_order(account, "{landlord}", minor, day=1, text="Rent {month} {year}")


def standing_order(account: str, payee: str, minor: int, *, day: int, text: str) -> Habit:
    """Pay the same amount each month."""
    return _once(account, day, way=Way.OUT, code=STANDING_ORDER, payee=payee, amounts=(minor, minor), text=text)


def direct_debit(account: str, payee: str, low: int, high: int, *, day: int, text: str) -> Habit:
    """Let a biller collect by SEPA direct debit each month."""
    return _once(account, day, way=Way.OUT, code=DIRECT_DEBIT, payee=payee, amounts=(low, high), text=text)


def subscription(account: str, payee: str, minor: int, *, day: int) -> Habit:
    """Let a subscription be collected by direct debit each month."""
    return direct_debit(account, payee, minor, minor, day=day, text="Subscription {month} {year}")


def saving(account: str, own: str, minor: int, *, day: int, text: str = "Savings") -> Habit:
    """Move money to another account of one's own each month."""
    return Habit(
        account=account,
        when=Monthly(day),
        way=Way.OUT,
        code=OWN_TRANSFER,
        who=("",),
        amounts=(minor, minor),
        text=text,
        own=own,
    )


def shopping(account: str, who: tuple[str, ...], low: int, high: int, *, per_month: float, abroad: str = "") -> Habit:
    """Pay by card, here and there; `abroad` is the currency charged, where that is another than the account's."""
    return Habit(
        account=account,
        when=Often(per_month),
        way=Way.OUT,
        code=CARD,
        who=who,
        amounts=(low, high),
        text="Card payment {day}",
        merchant_category=_CATEGORIES.get(who, ""),
        abroad=abroad,
    )


def receipts(account: str, low: int, high: int, *, per_month: float) -> Habit:
    """Be paid by customers' cards, as a shop is."""
    return Habit(
        account=account,
        when=Often(per_month),
        way=Way.IN,
        code=CARD_RECEIPT,
        who=("Card customer",),
        amounts=(low, high),
        text="Card receipt {number}",
        step=5,
    )


def cash(account: str, *, per_month: float, high: int = 20_000) -> Habit:
    """Draw cash in round amounts."""
    return Habit(
        account=account,
        when=Often(per_month),
        way=Way.OUT,
        code=CASH,
        who=CASH_MACHINE,
        amounts=(2_000, high),
        text="Cash withdrawal {day}",
        step=1_000,
    )


def interest(account: str, low: int, high: int) -> Habit:
    """Earn interest at the end of each quarter."""
    return Habit(
        account=account,
        when=Monthly(28, frozenset({3, 6, 9, 12})),
        way=Way.IN,
        code=INTEREST,
        who=("Sandbox Bank",),
        amounts=(low, high),
        text="Interest {month} {year}",
    )


def charges(account: str, low: int, high: int, *, text: str) -> Habit:
    """Pay the bank for its services."""
    return _once(account, 28, way=Way.OUT, code=CHARGES, payee="Sandbox Bank", amounts=(low, high), text=text)


def _once(account: str, day: int, *, way: Way, code: str, payee: str, amounts: tuple[int, int], text: str) -> Habit:
    return Habit(account=account, when=Monthly(day), way=way, code=code, who=(payee,), amounts=amounts, text=text)

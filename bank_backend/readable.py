"""How money, IBANs and days are written for people, on pages and in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from psd2.money import Money


def readable_iban(iban: str) -> str:
    """Return the IBAN in groups of four."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def readable_day(day: date) -> str:
    """Return a date as people read it: `1 December 2026`."""
    return f"{day.day} {day:%B %Y}"


def readable_money(amount: Money) -> str:
    """Return an amount as people read it: `1,234.50 EUR`."""
    sign = "\N{MINUS SIGN}" if amount.minor < 0 else ""
    whole, point, fraction = amount.decimal.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}{point}{fraction} {amount.currency}"


def readable_list(items: Sequence[str]) -> str:
    """Return the items as a sentence names them: `a, b and c`."""
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last

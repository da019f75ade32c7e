"""Texts of ISO 20022 messages read into values; each raises `ValueError` that says what would be right."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bank_backend.bodies import require_printable
from bank_backend.ledger.products import ChargeBearer
from bank_backend.references import parse_iban
from psd2.money import currency_exponent

if TYPE_CHECKING:
    from collections.abc import Callable

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,14}(\.[0-9]{1,5})?", re.ASCII)
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?", re.ASCII)
_PURPOSE: Final = re.compile(r"[A-Z0-9]{4}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[a-zA-Z0-9]{1,30}", re.ASCII)


def text(given: str, *, most: int) -> str:
    """Read a text of one to so many characters."""
    if not 1 <= len(given) <= most:
        msg = f"it has {len(given)} characters, and 1 to {most} are meant"
        raise ValueError(msg)
    return require_printable(given)


def date_text(given: str) -> date:
    """Read an ISODate; a time zone, which XML allows, says nothing about a day of the bank."""
    try:
        if _DATE.fullmatch(given[:10]) and re.fullmatch(r"|Z|[+-][0-9]{2}:[0-9]{2}", given[10:], re.ASCII):
            return date.fromisoformat(given[:10])
    except ValueError:
        pass
    msg = f"{given[:20]!r} is no date: write one such as 2030-12-31"
    raise ValueError(msg)


def moment_text(given: str) -> datetime:
    """Read an ISODateTime; without an offset it is the bank's time, UTC."""
    try:
        moment = datetime.fromisoformat(given) if "T" in given else None
        if moment is not None:
            return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    msg = f"{given[:40]!r} is no time: write one such as 2030-12-31T09:30:00Z"
    raise ValueError(msg)


def count(given: str) -> int:
    """Read a number of transactions."""
    return int(_matching(given, _COUNT, "no number: write up to 15 digits"))


def decimal(given: str) -> Decimal:
    """Read an amount without its currency."""
    return Decimal(_matching(given, _DECIMAL, "no amount: write up to 14 digits and a decimal point, for example 12.34"))


def bic(given: str) -> str:
    """Read a BIC."""
    return _matching(given, _BIC, "no BIC: write 8 or 11 characters, for example MUSTDEFFXXX")


def purpose(given: str) -> str:
    """Read a purpose's code; the books have no other."""
    return _matching(given, _PURPOSE, "no purpose of ISO 20022 (ExternalPurpose1Code): write one such as SALA")


def country(given: str) -> str:
    """Read a country's code."""
    return _matching(given, _COUNTRY, "no country: write two capital letters, for example DE")


def account_number(given: str) -> str:
    """Read the number of an account that has no IBAN."""
    return _matching(given, _ACCOUNT, "no account number: write up to 30 letters and digits")


def iban(given: str) -> str:
    """Read an IBAN."""
    return parse_iban(given)


def currency(given: str) -> str:
    """Read a currency's code."""
    currency_exponent(given)
    return given


def boolean(given: str) -> bool:
    """Read an xs:boolean."""
    if given not in {"true", "false", "1", "0"}:
        msg = f"{given[:20]!r} is neither true nor false"
        raise ValueError(msg)
    return given in {"true", "1"}


def charge_bearer(given: str) -> ChargeBearer:
    """Read who bears the charges."""
    return ChargeBearer(one_of(*ChargeBearer)(given))


def one_of(*codes: str) -> Callable[[str], str]:
    """Return a reader of one of these codes."""

    def read(given: str) -> str:
        if given not in codes:
            msg = f"{given[:20]!r} is not {' or '.join(codes)}"
            raise ValueError(msg)
        return given

    return read


def _matching(given: str, pattern: re.Pattern[str], otherwise: str) -> str:
    if not pattern.fullmatch(given):
        msg = f"{given[:40]!r} is {otherwise}"
        raise ValueError(msg)
    return given

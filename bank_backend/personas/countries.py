"""The bank's national dress: IBANs with a bank code that no bank has, a test BIC, and the locale of its people's names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from schwifty import IBAN, registry
from schwifty.domain import Component

if TYPE_CHECKING:
    from random import Random

# EEA and the United Kingdom, with the Faker locale that names people there.
LOCALES: Final = {
    "AT": "de_AT",
    "BE": "nl_BE",
    "BG": "en_GB",
    "CY": "en_GB",
    "CZ": "cs_CZ",
    "DE": "de_DE",
    "DK": "da_DK",
    "EE": "et_EE",
    "ES": "es_ES",
    "FI": "fi_FI",
    "FR": "fr_FR",
    "GB": "en_GB",
    "GR": "en_GB",
    "HR": "hr_HR",
    "HU": "hu_HU",
    "IE": "en_IE",
    "IS": "en_GB",
    "IT": "it_IT",
    "LI": "de_AT",
    "LT": "lt_LT",
    "LU": "fr_FR",
    "LV": "lv_LV",
    "MT": "en_GB",
    "NL": "nl_NL",
    "NO": "no_NO",
    "PL": "pl_PL",
    "PT": "pt_PT",
    "RO": "ro_RO",
    "SE": "sv_SE",
    "SI": "sl_SI",
    "SK": "sk_SK",
}
# Where a country's bank codes are letters.
_LETTERS: Final = ("SNBX", "SNBY", "SNBZ")


class UnsupportedCountry(ValueError):
    """A country in which the mock bank can't open a branch."""


def require_country(country: str) -> str:
    """Return the country's code; raises `UnsupportedCountry`."""
    if country not in LOCALES:
        msg = f"{country[:20]!r} is no country of this bank: write one of {', '.join(LOCALES)}"
        raise UnsupportedCountry(msg)
    return country


@lru_cache(maxsize=len(LOCALES))
def house_bank_code(country: str) -> str:
    """Return the bank code of the mock bank: the first from the top that the country's register doesn't know."""
    return _unused_codes(country)[0]


@lru_cache(maxsize=len(LOCALES))
def outside_bank_code(country: str) -> str:
    """Return the bank code of everybody else's bank, as fictional as the mock bank's."""
    return _unused_codes(country)[1]


def new_iban(country: str, rng: Random, *, bank_code: str) -> str:
    """Return a valid IBAN, national check digits included."""
    return str(IBAN.random(country, random=rng, bank_code=bank_code, use_registry=False))


def bic(country: str) -> str:
    """Return the mock bank's BIC; a location code that ends in 0 marks it as a test BIC (ISO 9362)."""
    return f"SNBX{country}X0"


def _unused_codes(country: str) -> tuple[str, str]:
    """Return two codes of the country's form that its register doesn't know."""
    length = registry.get_iban_spec(country).positions[Component.BANK_CODE].length
    known = {bank.bank_code[:length] for bank in registry.get_banks_by_country(country)}
    numbers = (str(number).zfill(length) for number in range(10**length - 1, 0, -1))
    candidates = _LETTERS if _has_letters(country) else numbers
    unused = (code for code in candidates if code not in known)
    return next(unused), next(unused)


def _has_letters(country: str) -> bool:
    """Tell whether the country's bank codes are letters, as its IBAN structure says (`4!a`)."""
    return registry.get_iban_spec(country).bban_spec.startswith("4!a")

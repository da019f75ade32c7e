"""The European Economic Area, in which an authorisation under PSD2 is given and passported (ISO 3166-1, English names)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from psd2.ncas import NCAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.ncas import Nca

EEA: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AT": "Austria",
        "BE": "Belgium",
        "BG": "Bulgaria",
        "HR": "Croatia",
        "CY": "Cyprus",
        "CZ": "Czechia",
        "DK": "Denmark",
        "EE": "Estonia",
        "FI": "Finland",
        "FR": "France",
        "DE": "Germany",
        "GR": "Greece",
        "HU": "Hungary",
        "IS": "Iceland",
        "IE": "Ireland",
        "IT": "Italy",
        "LV": "Latvia",
        "LI": "Liechtenstein",
        "LT": "Lithuania",
        "LU": "Luxembourg",
        "MT": "Malta",
        "NL": "Netherlands",
        "NO": "Norway",
        "PL": "Poland",
        "PT": "Portugal",
        "RO": "Romania",
        "SK": "Slovakia",
        "SI": "Slovenia",
        "ES": "Spain",
        "SE": "Sweden",
    }
)


def authorities_of(country: str) -> list[Nca]:
    """Return the competent authorities of a country."""
    return [nca for nca in NCAS.values() if nca.country == country]

"""National competent authorities and their identifiers (TS 119 495 Annex D; names in the Latin alphabet, §5.2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Nca:
    """One competent authority: `DE-BAFIN`, its English name, its ISO 3166-1 country."""

    id: str
    name: str
    country: str


_NAMES = {
    "AT-FMA": "Austria Financial Market Authority",
    "BE-NBB": "National Bank of Belgium",
    "BG-BNB": "Bulgarian National Bank",
    "CY-CBC": "Central Bank of Cyprus",
    "CZ-CNB": "Czech National Bank",
    "DE-BAFIN": "Federal Financial Supervisory Authority",
    "DK-DFSA": "Danish Financial Supervisory Authority",
    "EE-FI": "Estonia Financial Supervisory Authority",
    "ES-BE": "Bank of Spain",
    "FI-FINFSA": "Finnish Financial Supervisory Authority",
    "FR-ACPR": "Prudential Supervisory and Resolution Authority",
    "GB-FCA": "Financial Conduct Authority",
    "GR-BOG": "Bank of Greece",
    "HR-CNB": "Croatian National Bank",
    "HU-CBH": "Central Bank of Hungary",
    "IE-CBI": "Central Bank of Ireland",
    "IS-FME": "Financial Supervisory Authority",
    "IT-BI": "Bank of Italy",
    "LI-FMA": "Financial Market Authority Liechtenstein",
    "LT-BL": "Bank of Lithuania",
    "LU-CSSF": "Commission for the Supervision of Financial Sector",
    "LV-FCMC": "Financial and Capital Markets Commission",
    "MT-MFSA": "Malta Financial Services Authority",
    "NL-DNB": "The Netherlands Bank",
    "NO-FSA": "The Financial Supervisory Authority of Norway",
    "PL-PFSA": "Polish Financial Supervision Authority",
    "PT-BP": "Bank of Portugal",
    "RO-NBR": "National Bank of Romania",
    "SE-FINA": "Swedish Financial Supervision Authority",
    "SI-BS": "Bank of Slovenia",
    "SK-NBS": "National Bank of Slovakia",
}

NCAS: Mapping[str, Nca] = MappingProxyType(
    {id_: Nca(id=id_, name=name, country=id_[:2]) for id_, name in _NAMES.items()},
)

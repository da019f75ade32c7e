"""The personas of every tenant.

Their main accounts are in euro whatever the country, so that SEPA payments work in every tenant.
"""

from __future__ import annotations

from typing import Final

from bank_backend.personas.business import MIRA, NORDLICHT
from bank_backend.personas.households import CLARA, MIGUEL, SOFIA, VIKTOR
from bank_backend.personas.private import ANNA, HELGA, JONAS, KARL, LUCIA, NORA, TOM
from bank_backend.personas.trade import IGOR, KIOSK, PETRA

PERSONAS: Final = (
    ANNA,
    JONAS,
    MIRA,
    KARL,
    HELGA,
    NORDLICHT,
    LUCIA,
    TOM,
    NORA,
    SOFIA,
    MIGUEL,
    PETRA,
    IGOR,
    CLARA,
    VIKTOR,
    KIOSK,
)

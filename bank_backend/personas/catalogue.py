"""The personas of every tenant.

Their main accounts are in euro whatever the country, so that SEPA payments work in every tenant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.personas.business import MIRA, NORDLICHT
from bank_backend.personas.households import CLARA, MIGUEL, SOFIA, VIKTOR
from bank_backend.personas.private import ANNA, HELGA, JONAS, KARL, LUCIA, NORA, TOM
from bank_backend.personas.trade import IGOR, KIOSK, PETRA

if TYPE_CHECKING:
    from bank_backend.personas.model import Persona

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


def seeded_personas(*, large_account: bool) -> tuple[Persona, ...]:
    """Return whom a new tenant is seeded with; without the large account it takes half the time and room."""
    return PERSONAS if large_account else tuple(persona for persona in PERSONAS if persona is not KIOSK)

"""A bank's personalities, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.answers import PeerRefused
from sandbox.tenants.personalities import Choice, Personality

if TYPE_CHECKING:
    from psd2.authorisation_number import AuthorisationNumber

OFFERED = (
    Personality(name="standard", title="Standard", description="Offers all.", settings={"requests": {"token": "required"}}),
    Personality(
        name="strict",
        title="Strict",
        description="Takes signed requests.",
        settings={"services": [], "sca": {"multilevel": True, "methods": ["totp", "push"]}},
    ),
)


class PersonalitiesInMemory:
    """Each TPP's choice; a new one has the standard."""

    def __init__(self) -> None:
        self.chosen: dict[str, str] = {}

    def choice(self, number: AuthorisationNumber) -> Choice:
        return Choice(chosen=self.chosen.get(str(number), "standard"), offered=OFFERED)

    def choose(self, number: AuthorisationNumber, name: str) -> Choice:
        if name not in {each.name for each in OFFERED}:
            raise PeerRefused("bank", 400, f"there is no personality {name!r}: choose one of standard, strict")
        self.chosen[str(number)] = name
        return self.choice(number)

"""Who takes part in a payment: the PSU that pays and somebody else of the same bank who is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tpp_client.errors import TppClientError
from tpp_client.sandbox_api import data_request, process_data_response

if TYPE_CHECKING:
    from tpp_client.journeys.stage import Stage
    from tpp_client.sandbox_api import Persona


def read_personas(stage: Stage) -> tuple[Persona, ...]:
    """Ask the sandbox for our tenant's personas."""
    stage.narrator.step("See who banks here (a sandbox tells; a real PSU would)", "")
    return process_data_response(data_request(stage.xs2a))


def persona_named(personas: tuple[Persona, ...], psu: str) -> Persona:
    """Return a persona with an account; raises `TppClientError` naming those there are."""
    for persona in personas:
        if persona.psu == psu and persona.accounts:
            return persona
    known = ", ".join(persona.psu for persona in personas if persona.accounts)
    msg = f"no PSU {psu!r} with an account at this bank; there are: {known or 'none'}"
    raise TppClientError(msg)


def payee_for(personas: tuple[Persona, ...], payer: Persona) -> Persona:
    """Return another persona whose account has the payer's currency; raises `TppClientError`.

    The other holder of a joint account is nobody else: the payment would go from an account to itself.
    """
    currency = payer.accounts[0].currency
    own = {account.iban for account in payer.accounts}
    for persona in personas:
        if persona.accounts and persona.accounts[0].currency == currency and persona.accounts[0].iban not in own:
            return persona
    msg = f"nobody but {payer.psu} has an account in {currency} at this bank: there is no one to pay"
    raise TppClientError(msg)

"""Personalities as JSON: which there are, what each means, and which one a bank has. Keys are those of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from bank_backend.bodies import Body
from bank_backend.personalities.shape import AccountsShape, ConsentsShape, PaymentsShape, RequestsShape, ScaShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.personalities.model import Personality


class ChoiceBody(Body):
    """`PUT /sandbox/v1/personality`."""

    personality: str


class PersonalityAnswer(BaseModel):
    """A personality, whole."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    services: list[str]
    sca: ScaShape
    requests: RequestsShape
    payments: PaymentsShape
    consents: ConsentsShape
    accounts: AccountsShape


class PersonalityChoice(BaseModel):
    """Which one is chosen, and all that can be."""

    model_config = ConfigDict(extra="forbid")

    personality: str
    personalities: list[PersonalityAnswer]


def choice_json(name: str, personalities: Sequence[Personality]) -> dict[str, object]:
    """Return which one is chosen, and all that can be."""
    return {"personality": name, "personalities": [personality_json(each) for each in personalities]}


def personality_json(personality: Personality) -> dict[str, object]:
    """Return a personality whole, grouped as in its file."""
    return {
        "name": personality.name,
        "title": personality.title,
        "description": personality.description,
        "services": sorted(personality.services),
        "sca": _sca_json(personality),
        "requests": {
            "token": personality.token,
            "signature": personality.signature,
            "headers": sorted(personality.required_headers),
            "headers_to_initiate": sorted(personality.initiation_headers),
            "unknown_fields": "refused" if personality.strict_bodies else "ignored",
        },
        "payments": {
            "services": sorted(personality.payment_services),
            "products": sorted(personality.payment_products),
            "formats": sorted(personality.payment_formats),
            "cancellation_needs_authorisation": personality.cancellation_needs_authorisation,
        },
        "consents": {
            "models": sorted(personality.consent_models),
            "recurring": personality.recurring_consents,
            "lifetime_days": personality.consent_lifetime_days,
            "frequency_per_day": personality.frequency_per_day,
            "combined_service": personality.combined_service,
        },
        "accounts": {
            "owner_name": personality.owner_name,
            "balances": list(personality.balance_types),
            "booking_statuses": sorted(personality.booking_statuses),
            "report_formats": list(personality.report_formats),
            "history_days": personality.history_days or 0,
        },
    }


def _sca_json(personality: Personality) -> dict[str, object]:
    exemption = personality.exemption_limit
    return {
        "approaches": list(personality.approaches),
        "methods": list(personality.sca_methods),
        "multilevel": personality.multilevel,
        "confirmation": personality.confirmation,
        "exempt_up_to": "0" if exemption is None else exemption.decimal,
    }

"""Authorisations as they are answered: status, what comes next, methods and challenge (BG IG 1.3.8 §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.links import link, next_steps
from bank_backend.authorisations.messages import psu_message
from bank_backend.authorisations.model import SIGNED
from bank_backend.authorisations.psu_data import wire_id
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from bank_backend.authorisations.embedded import Stepped
    from bank_backend.authorisations.links import Links
    from bank_backend.authorisations.model import Authorisation
    from bank_backend.sca.model import Challenge, ScaMethod


def status_as_json(authorisation: Authorisation) -> dict[str, object]:
    """Write `scaStatusResponse`."""
    body: dict[str, object] = {"scaStatus": authorisation.status.value}
    message = psu_message(authorisation)
    return body | ({"psuMessage": message} if message else {})


def stepped_as_json(stepped: Stepped, *, path: str, segment: str) -> dict[str, object]:
    """Write the answer to what a TPP has sent: where it stands and what the TPP sends next."""
    return status_as_json(stepped.authorisation) | progress(stepped) | {"_links": step_links(stepped, path, segment)}


def progress(stepped: Stepped) -> dict[str, object]:
    """Return the methods to choose from, or the chosen one with what the PSU is to be told."""
    if stepped.authorisation.approach is not ScaApproach.EMBEDDED:
        return {}
    if stepped.methods:
        return {"scaMethods": [_method(method) for method in stepped.methods]}
    if stepped.chosen is None or stepped.challenge is None:
        return {}
    return {"chosenScaMethod": _method(stepped.chosen), "challengeData": _challenge(stepped.challenge)}


def step_links(stepped: Stepped, path: str, segment: str) -> Links:
    """Return the `_links` of an authorisation that a step was taken on."""
    own = f"{path}/{segment}/{stepped.authorisation.id}"
    links: Links = {relation: link(own) for relation in next_steps(stepped.authorisation)}
    if stepped.authorisation.status in SIGNED:
        links["status"] = link(f"{path}/status")
    return links | {"scaStatus": link(own)}


def _method(method: ScaMethod) -> dict[str, object]:
    return {
        "authenticationType": method.type.authentication_type,
        "authenticationMethodId": wire_id(method.id),
        "name": method.name,
        "explanation": method.explanation,
    }


def _challenge(challenge: Challenge) -> dict[str, object]:
    data: dict[str, object] = {"additionalInformation": challenge.instruction}
    if challenge.otp_digits is not None:
        data |= {"otpMaxLength": challenge.otp_digits, "otpFormat": "integer"}
    return data

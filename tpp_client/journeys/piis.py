"""Funds confirmation, whole: consent, SCA, a question answered yes and one answered no (BG IG 1.3.8 §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psd2.money import Money
from tpp_client.errors import TppClientError
from tpp_client.funds import (
    funds_confirmation_request,
    funds_consent_path,
    funds_consent_request,
    process_funds_confirmation_response,
    process_funds_consent_response,
)
from tpp_client.journeys.authorising import authorised
from tpp_client.journeys.demands import initiated
from tpp_client.journeys.personas import persona_named, read_personas
from tpp_client.journeys.stage import Awaiting, discover
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from psd2.ids import ConsentId
    from tpp_client.consents import CreatedConsent
    from tpp_client.journeys.stage import Stage

_SMALL, _HUGE = "1", "99999999"


@dataclass(frozen=True, slots=True)
class PiisResult:
    """What a funds confirmation journey brings home."""

    consent_id: ConsentId
    small_is_covered: bool
    huge_is_covered: bool

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {"consent_id": self.consent_id, _SMALL: self.small_is_covered, _HUGE: self.huge_is_covered}


def piis_journey(stage: Stage, psu: str) -> PiisResult:
    """Go the whole way; raises `TppClientError` at the first step that fails."""
    account = persona_named(read_personas(stage), psu).accounts[0]
    metadata = discover(stage)
    stage.narrator.step(f"Ask for the consent to put questions about {account.iban}", "BG Confirmation of Funds Consent 2.0")
    consent = _consent(stage, account.iban)
    path = funds_consent_path(consent.consent_id)
    tokens = authorised(stage, metadata, Awaiting(scope=f"PIIS:{consent.consent_id}", path=path, sca=consent.sca))
    access = Access(token=tokens.access_token, consent_id=consent.consent_id)
    small = _ask(stage, access, account.iban, Money.parse(_SMALL, account.currency))
    huge = _ask(stage, access, account.iban, Money.parse(_HUGE, account.currency))
    if huge:
        msg = f"the bank says that {account.iban} covers {_HUGE} {account.currency}: it does not look"
        raise TppClientError(msg)
    return PiisResult(consent.consent_id, small, huge)


def _consent(stage: Stage, iban: str) -> CreatedConsent:
    response = initiated(stage, lambda headers: funds_consent_request(stage.xs2a, iban=iban, headers=headers))
    return process_funds_consent_response(response)


def _ask(stage: Stage, access: Access, iban: str, amount: Money) -> bool:
    stage.narrator.step(f"Ask whether the account covers {amount}", "BG IG §10.1")
    response = funds_confirmation_request(stage.xs2a, access, iban=iban, amount=amount)
    return process_funds_confirmation_response(response)

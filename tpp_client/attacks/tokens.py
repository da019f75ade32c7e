"""Attacks with tokens: stolen, guessed, or led past the consent they stand for (RFC 8705 §3, RFC 6750 §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psd2.ids import new_secret
from tpp_client.attacks.certificates import spoofed_headers
from tpp_client.attacks.model import Attack, Expectation, expect
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from tpp_client.attacks.field import AttackField
    from tpp_client.wire import HttpResponse

_TOKEN_REFUSED = expect(401, "TOKEN_INVALID", "invalid_token")
_HIDDEN = Expectation(statuses=frozenset({401, 403, 404}), codes=frozenset({"CONSENT_UNKNOWN", "RESOURCE_UNKNOWN"}))


def _stolen(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.other().qwac)


def _stolen_with_headers(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.other().qwac, spoofed_headers(field.victim.certificate))


def _guessed(field: AttackField) -> HttpResponse:
    return field.read_accounts(field.victim.qwac, {"Authorization": f"Bearer {new_secret()}"})


def _foreign_consent(field: AttackField) -> HttpResponse:
    url = f"{field.victim.edge}/v1/consents/{field.loot.consent_id}"
    headers = {"X-Request-ID": field.stage.xs2a.new_request_id()} | spoofed_headers(field.victim.certificate)
    return field.send(field.other().qwac, HttpRequest(method="GET", url=url, headers=headers))


ATTACKS = (
    Attack(
        name="stolen-token",
        title="present the victim's token over another TPP's certificate",
        clause="RFC 8705 §3",
        expected=_TOKEN_REFUSED,
        strike=_stolen,
    ),
    Attack(
        name="stolen-token-spoofed",
        title="the same, with the victim's certificate in headers",
        clause="RFC 9440 §4",
        expected=_TOKEN_REFUSED,
        strike=_stolen_with_headers,
    ),
    Attack(
        name="guessed-token",
        title="present a made-up token over the right certificate",
        clause="RFC 6750 §3.1",
        expected=expect(401, "TOKEN_UNKNOWN", "invalid_token"),
        strike=_guessed,
    ),
    Attack(
        name="foreign-consent",
        title="read another TPP's consent by its id",
        clause="BG IG §6.3.3",
        expected=_HIDDEN,
        strike=_foreign_consent,
    ),
)

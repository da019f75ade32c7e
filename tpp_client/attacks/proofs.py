"""Attacks with tokens that are bound to a key: no proof, a used one, one for another request or by another key (RFC 9449)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tpp_client.attacks.model import Attack, NotTried, expect
from tpp_client.dpop import TOKEN_TYPE, DpopKey
from tpp_client.refusals import require_status
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from tpp_client.attacks.field import AttackField
    from tpp_client.wire import HttpResponse

_REFUSED = expect(401, "TOKEN_INVALID", "invalid_token", "invalid_dpop_proof")


def _key(field: AttackField) -> DpopKey:
    if field.voice.proving is None:
        raise NotTried("needs a client whose tokens are bound to a key: `sandbox tpp register … --profile fapi2 --dpop`")
    return field.voice.proving


def _accounts(field: AttackField) -> str:
    return f"{field.victim.edge}/v1/accounts"


def _read(field: AttackField, headers: dict[str, str]) -> HttpResponse:
    told = {
        "Consent-ID": field.loot.consent_id,
        "X-Request-ID": field.stage.xs2a.new_request_id(),
        "PSU-IP-Address": "127.0.0.1",
        "Accept": "application/json",
    }
    return field.send(field.victim.qwac, HttpRequest(method="GET", url=_accounts(field), headers=told | headers))


def _proven(
    field: AttackField, key: DpopKey, *, method: str = "GET", url: str | None = None, token: str | None = None
) -> HttpResponse:
    bound = field.loot.tokens.access_token
    proof = key.proof(method, url or _accounts(field), token=token or bound)
    return _read(field, {"Authorization": f"{TOKEN_TYPE} {bound}", "DPoP": proof})


def _replayed(field: AttackField) -> HttpResponse:
    headers = _key(field).headers("GET", _accounts(field), field.loot.tokens.access_token)
    require_status(_read(field, headers), HTTPStatus.OK)
    return _read(field, headers)


def _other_url(field: AttackField) -> HttpResponse:
    return _proven(field, _key(field), url=f"{field.victim.edge}/v1/consents")


def _other_method(field: AttackField) -> HttpResponse:
    return _proven(field, _key(field), method="POST")


def _other_token(field: AttackField) -> HttpResponse:
    return _proven(field, _key(field), token="another-token")  # noqa: S106 - none


def _other_key(field: AttackField) -> HttpResponse:
    _key(field)
    return _proven(field, DpopKey(field.stage.clock))


def _as_bearer(field: AttackField) -> HttpResponse:
    _key(field)
    return _read(field, {"Authorization": f"Bearer {field.loot.tokens.access_token}"})


def _without(field: AttackField) -> HttpResponse:
    _key(field)
    return _read(field, {"Authorization": f"{TOKEN_TYPE} {field.loot.tokens.access_token}"})


ATTACKS = (
    Attack(
        name="proof-replay",
        title="send a proof of possession a second time",
        clause="RFC 9449 §11.1",
        expected=_REFUSED,
        strike=_replayed,
    ),
    Attack(
        name="proof-other-url",
        title="use a proof that was made for another address",
        clause="RFC 9449 §4.3",
        expected=_REFUSED,
        strike=_other_url,
    ),
    Attack(
        name="proof-other-method",
        title="use a proof that was made for another method",
        clause="RFC 9449 §4.3",
        expected=_REFUSED,
        strike=_other_method,
    ),
    Attack(
        name="proof-other-token",
        title="use a proof that was made for another token",
        clause="RFC 9449 §4.3",
        expected=_REFUSED,
        strike=_other_token,
    ),
    Attack(
        name="proof-other-key",
        title="use a stolen token with a proof by the thief's key",
        clause="RFC 9449 §7.1",
        expected=_REFUSED,
        strike=_other_key,
    ),
    Attack(
        name="bound-as-bearer",
        title="use a token that is bound to a key as a Bearer token",
        clause="RFC 9449 §7.2",
        expected=_REFUSED,
        strike=_as_bearer,
    ),
    Attack(
        name="proof-none",
        title="use a token that is bound to a key without a proof",
        clause="RFC 9449 §7.1",
        expected=_REFUSED,
        strike=_without,
    ),
)

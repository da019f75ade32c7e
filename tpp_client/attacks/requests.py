"""Attacks on pushed and signed authorization requests, and on what they are answered with (RFC 9126, RFC 9101, JARM)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from tpp_client.attacks.model import Attack, Expectation, NotTried, expect, read_answer
from tpp_client.authorization import authorization_parameters
from tpp_client.documents import document_of
from tpp_client.journeys.ais import ask_for_consent
from tpp_client.refusals import require_status
from tpp_client.request_objects import REQUEST_TYP, request_object_claims
from tpp_client.signing_keys import new_signing_key

if TYPE_CHECKING:
    from tpp_client.attacks.field import AttackField
    from tpp_client.signing_keys import SigningKey
    from tpp_client.wire import HttpResponse

_PAGE = expect(400, "page")
_OBJECT_REFUSED = expect(400, "invalid_request_object")
_REQUEST_REFUSED = expect(400, "invalid_request")
_NOT_PUSHED = Expectation(statuses=frozenset({303, 400}), codes=frozenset({"invalid_request", "page"}))


def _parameters(field: AttackField) -> dict[str, str]:
    scope = f"AIS:{ask_for_consent(field.stage)}"
    return authorization_parameters(field.voice.begin(redirect_uri=field.stage.redirect_uri, scope=scope))


def _pushed(field: AttackField) -> dict[str, str]:
    """Return what the browser carries after a right request was pushed."""
    response = field.push(field.voice.as_pushed(field.metadata, _parameters(field)))
    require_status(response, HTTPStatus.CREATED)
    return {"client_id": field.victim.client_id, "request_uri": document_of(response).text("request_uri")}


def _used_twice(field: AttackField) -> HttpResponse:
    query = _pushed(field)
    field.stage.psu.decide(
        f"{field.metadata.authorization_endpoint}?client_id={query['client_id']}&request_uri={query['request_uri']}"
    )
    return field.browse(query)


def _stolen(field: AttackField) -> HttpResponse:
    return field.browse(_pushed(field) | {"client_id": field.other().client_id})


def _not_pushed(field: AttackField) -> HttpResponse:
    if not field.voice.traits.pushes_requests:
        raise NotTried("needs a client that has to push: `sandbox tpp register … --profile fapi2`")
    return field.browse(_parameters(field))


def _key(field: AttackField) -> SigningKey:
    if field.voice.key is None or not field.voice.traits.signs_requests:
        raise NotTried("needs a client that signs its requests: `sandbox tpp register … --profile fapi2-message-signing`")
    return field.voice.key


def _signed(field: AttackField, key: SigningKey, **changes: str | None) -> dict[str, str]:
    """Return a request object that is right but for the changes; None leaves a claim out."""
    now = field.stage.clock.now().timestamp()
    claims = request_object_claims(_parameters(field), issuer=field.metadata.issuer, now=now) | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return {"client_id": field.victim.client_id, "request": key.signed(kept, header={"typ": REQUEST_TYP})}


def _unsigned(field: AttackField) -> HttpResponse:
    _key(field)
    return field.push(_parameters(field))


def _none_alg(field: AttackField) -> HttpResponse:
    pushed = _signed(field, _key(field))
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": REQUEST_TYP}).encode()).rstrip(b"=").decode()
    return field.push(pushed | {"request": f"{header}.{pushed['request'].split('.')[1]}."})


def _other_key(field: AttackField) -> HttpResponse:
    return field.push(_signed(field, replace(new_signing_key(), kid=_key(field).kid)))


def _elsewhere(field: AttackField) -> HttpResponse:
    return field.push(_signed(field, _key(field), aud="https://another-bank.example"))


def _beside(field: AttackField) -> HttpResponse:
    return field.push(_signed(field, _key(field)) | {"redirect_uri": "https://attacker.example/callback"})


def _plain_answer(field: AttackField) -> HttpResponse:
    if not field.voice.traits.wants_signed_answers:
        raise NotTried("needs a client whose answers are signed: `sandbox tpp register … --profile fapi2-message-signing`")
    return field.push(_signed(field, _key(field), response_mode=None))


ATTACKS = (
    Attack(
        name="request-uri-replay",
        title="send a browser with a pushed request that was answered before",
        clause="FAPI 2.0 SP §5.3.2.2",
        expected=_PAGE,
        strike=_used_twice,
        read=read_answer,
    ),
    Attack(
        name="request-uri-theft",
        title="send a browser with the victim's pushed request as another client",
        clause="RFC 9126 §2.2",
        expected=_PAGE,
        strike=_stolen,
        read=read_answer,
    ),
    Attack(
        name="request-not-pushed",
        title="put the request of a client that has to push it into the address",
        clause="FAPI 2.0 SP §5.3.2.2",
        expected=_NOT_PUSHED,
        strike=_not_pushed,
        read=read_answer,
    ),
    Attack(
        name="request-unsigned",
        title="push an unsigned request as a client that signs them",
        clause="FAPI 2.0 MS §5.3.1",
        expected=_REQUEST_REFUSED,
        strike=_unsigned,
    ),
    Attack(
        name="request-alg-none",
        title="push a request object without a signature (alg none)",
        clause="RFC 8725 §2.1",
        expected=_OBJECT_REFUSED,
        strike=_none_alg,
    ),
    Attack(
        name="request-key",
        title="push a request object that another key of the same name has signed",
        clause="RFC 9101 §6.2",
        expected=_OBJECT_REFUSED,
        strike=_other_key,
    ),
    Attack(
        name="request-audience",
        title="push a request object that is meant for another bank",
        clause="FAPI 2.0 MS §5.3.1",
        expected=_OBJECT_REFUSED,
        strike=_elsewhere,
    ),
    Attack(
        name="request-beside",
        title="push another redirect_uri beside a signed request",
        clause="RFC 9126 §3",
        expected=_REQUEST_REFUSED,
        strike=_beside,
    ),
    Attack(
        name="answer-unsigned",
        title="ask for a plain answer as a client whose answers are signed",
        clause="FAPI 2.0 MS §5.4",
        expected=_REQUEST_REFUSED,
        strike=_plain_answer,
    ),
)

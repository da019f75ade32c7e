"""Attacks on a client that signs to say who it is: no assertion, a used one, one for or by somebody else (RFC 7523 §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from psd2.ids import new_secret
from tpp_client.attacks.model import Attack, NotTried, expect
from tpp_client.client_assertions import ClientSigner, with_assertion
from tpp_client.refusals import require_status
from tpp_client.signing_keys import new_signing_key
from tpp_client.wire import form_request

if TYPE_CHECKING:
    from tpp_client.attacks.field import AttackField
    from tpp_client.wire import HttpRequest, HttpResponse

_REFUSED = expect(401, "invalid_client")
_LATE = timedelta(minutes=10)


def _signer(field: AttackField) -> ClientSigner:
    key = field.voice.key
    if key is None or not field.voice.traits.signs_to_authenticate:
        raise NotTried("needs a client that signs to authenticate: `sandbox tpp register … --auth-method private_key_jwt`")
    return ClientSigner(client_id=field.victim.client_id, audience=field.victim.issuer, key=key)


def _question(field: AttackField) -> HttpRequest:
    """Return a question that any client may ask, if it is who it says."""
    fields = {"token": new_secret(), "client_id": field.victim.client_id}
    return form_request(field.metadata.introspection_endpoint, fields)


def _asked(field: AttackField, signer: ClientSigner, *, age: timedelta = timedelta(0)) -> HttpResponse:
    assertion = signer.assertion(now=(field.stage.clock.now() - age).timestamp())
    return field.send(field.victim.qwac, with_assertion(_question(field), assertion))


def _none(field: AttackField) -> HttpResponse:
    _signer(field)
    return field.send(field.victim.qwac, _question(field))


def _replayed(field: AttackField) -> HttpResponse:
    assertion = _signer(field).assertion(now=field.stage.clock.now().timestamp())
    require_status(field.send(field.victim.qwac, with_assertion(_question(field), assertion)), HTTPStatus.OK)
    return field.send(field.victim.qwac, with_assertion(_question(field), assertion))


def _elsewhere(field: AttackField) -> HttpResponse:
    return _asked(field, replace(_signer(field), audience=field.metadata.token_endpoint))


def _late(field: AttackField) -> HttpResponse:
    return _asked(field, _signer(field), age=_LATE)


def _other_key(field: AttackField) -> HttpResponse:
    signer = _signer(field)
    return _asked(field, replace(signer, key=replace(new_signing_key(), kid=signer.key.kid)))


def _stolen(field: AttackField) -> HttpResponse:
    assertion = _signer(field).assertion(now=field.stage.clock.now().timestamp())
    return field.send(field.other().qwac, with_assertion(_question(field), assertion))


ATTACKS = (
    Attack(
        name="assertion-none",
        title="ask as a client that signs, without an assertion",
        clause="FAPI 2.0 SP §5.3.2.1",
        expected=_REFUSED,
        strike=_none,
    ),
    Attack(
        name="assertion-replay",
        title="authenticate with an assertion that was used before",
        clause="RFC 7523 §3",
        expected=_REFUSED,
        strike=_replayed,
    ),
    Attack(
        name="assertion-audience",
        title="authenticate with an assertion that is meant for the token endpoint, not for the issuer",
        clause="FAPI 2.0 SP §5.3.2.1",
        expected=_REFUSED,
        strike=_elsewhere,
    ),
    Attack(
        name="assertion-late",
        title="authenticate with an assertion that has expired",
        clause="RFC 7523 §3",
        expected=_REFUSED,
        strike=_late,
    ),
    Attack(
        name="assertion-key",
        title="authenticate with an assertion by another key of the same name",
        clause="RFC 7523 §3",
        expected=_REFUSED,
        strike=_other_key,
    ),
    Attack(
        name="assertion-theft",
        title="authenticate with the victim's assertion over another TPP's certificate",
        clause="RFC 8705 §2.1",
        expected=_REFUSED,
        strike=_stolen,
    ),
)

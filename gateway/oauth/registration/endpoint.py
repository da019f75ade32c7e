"""`POST /register` and a client's registration at `/register/{client_id}`, at the edge (RFC 7591 §3, RFC 7592 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, jsonify, request

from gateway.admin_audit.actor import Actor, acting
from gateway.oauth.answers import NO_STORE, Answers, answer_refusals
from gateway.oauth.arrival import require_presented_qwac
from gateway.oauth.metadata import REGISTER_PATH
from gateway.oauth.refusals import invalid_request
from gateway.oauth.registration.document import told_document
from gateway.oauth.registration.reading import read_replacement, read_wish
from gateway.oauth.registration.service import Registered

if TYPE_CHECKING:
    from gateway.oauth.registration.service import Registration
    from gateway.oauth.registration.statements import SoftwareStatements
    from gateway.register.model import Tpp

_JSON: Final = "application/json"
_SCHEME: Final = "Bearer "


def registration_blueprint(
    *, registration: Registration, statements: SoftwareStatements, answers: Answers, edge_url: str
) -> Blueprint:
    """Return the registration endpoint and that of registered clients."""
    api = Blueprint("registration", __name__, static_folder=None)

    answer_refusals(api, answers.as_json)

    @api.post(REGISTER_PATH, provide_automatic_options=False)
    def register() -> Response:
        tpp = _tpp(registration)
        wish = read_wish(_body(), tpp, statements)
        with acting(Actor(tpp.authorisation_number)):
            return _told(registration.create(wish, tpp), edge_url, status=201)

    @api.get(f"{REGISTER_PATH}/<client_id>", provide_automatic_options=False)
    def read(client_id: str) -> Response:
        tpp = _tpp(registration)
        client = registration.standing(client_id, _token(), tpp)
        return _told(Registered(client, tpp, _token() or ""), edge_url)

    @api.put(f"{REGISTER_PATH}/<client_id>", provide_automatic_options=False)
    def update(client_id: str) -> Response:
        tpp = _tpp(registration)
        client = registration.standing(client_id, _token(), tpp)
        wish = read_replacement(_body(), client_id, tpp, statements)
        with acting(Actor(tpp.authorisation_number)):
            return _told(registration.replace(client, wish, _token() or "", tpp), edge_url)

    @api.delete(f"{REGISTER_PATH}/<client_id>", provide_automatic_options=False)
    def delete(client_id: str) -> Response:
        tpp = _tpp(registration)
        client = registration.standing(client_id, _token(), tpp)
        with acting(Actor(tpp.authorisation_number)):
            registration.delete(client)
        return Response(status=204, headers=NO_STORE)

    return api


def _tpp(registration: Registration) -> Tpp:
    """Return the TPP that its QWAC names: no other credential makes a TPP (PSD2 RTS Art. 34)."""
    return registration.tpp(require_presented_qwac(request.environ).authorisation_number or "")


def _body() -> bytes:
    if request.mimetype != _JSON:
        raise invalid_request("Content-Type", f"must be {_JSON}", clause="RFC 7591 §3.1")
    return request.get_data(cache=False)


def _token() -> str | None:
    header = request.headers.get("Authorization", "")
    return header.removeprefix(_SCHEME) if header.startswith(_SCHEME) else None


def _told(registered: Registered, edge_url: str, *, status: int = 200) -> Response:
    client = registered.client
    answer = jsonify(
        told_document(client, registered.tpp)
        | {
            "registration_access_token": registered.token,
            "registration_client_uri": f"{edge_url}{REGISTER_PATH}/{client.client_id}",
        }
    )
    answer.status_code = status
    answer.headers.update(NO_STORE)
    return answer

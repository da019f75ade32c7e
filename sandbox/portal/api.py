"""The registration API: `/api/tpps…`, JSON, on the portal listener only (RFC 7592 in spirit: a token for each registration)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, jsonify, request

from chassis.serving.turnstile import Turnstile
from sandbox.ca.model import Fault, RevocationReason, TppCertificateKind
from sandbox.portal.bodies import BodyRefused, json_object, text_field
from sandbox.portal.listeners import PublicListener, require_listener
from sandbox.portal.visitor import origin
from sandbox.tpps.client_data import client_data
from sandbox.tpps.documents import issued_document, record_document
from sandbox.tpps.errors import AccessDenied
from sandbox.tpps.parsing import parse_client_amendment, parse_registration

if TYPE_CHECKING:
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

_BEARER = "Bearer "
_AT_ONCE, _WAITING, _PATIENCE_SECONDS = 2, 8, 20.0
_Choice = TypeVar("_Choice", bound=StrEnum)


def registration_api(services: Services) -> Blueprint:
    """Return the endpoints."""
    api = Blueprint("registration", __name__, url_prefix="/api")
    api.before_request(require_listener(PublicListener.PORTAL))
    endpoints = _Endpoints(services)
    api.add_url_rule("/tpps", view_func=endpoints.register, methods=["POST"])
    api.add_url_rule("/tpps/<number>", view_func=endpoints.show, methods=["GET"])
    api.add_url_rule("/tpps/<number>", view_func=endpoints.remove, methods=["DELETE"])
    api.add_url_rule("/tpps/<number>/client", view_func=endpoints.change_client, methods=["PUT"])
    api.add_url_rule("/tpps/<number>/certificates", view_func=endpoints.issue, methods=["POST"])
    api.add_url_rule("/tpps/<number>/certificates/<serial>/revoke", view_func=endpoints.revoke, methods=["POST"])
    api.after_request(_never_stored)
    return api


class _Endpoints:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._turnstile = Turnstile(inside=_AT_ONCE, waiting=_WAITING, patience_seconds=_PATIENCE_SECONDS)

    def register(self) -> Response:
        document = json_object()
        csrs = _csrs(document.pop("csr", None))
        wanted = parse_registration(document)
        self._services.registrations.spend(origin().address)
        with self._turnstile.passage():
            registered = self._services.register.register_new(wanted, csrs=csrs, access_token=_bearer_token())
        answer = {
            **client_data(registered.tpp, self._services.addresses),
            "certificates": {kind.value: issued_document(issued) for kind, issued in registered.certificates.items()},
            "ca": self._services.settings.home.trust_bundle.read_text(),
            "personas": list(registered.personas),
            "registration_access_token": registered.access_token,
        }
        response = jsonify(answer)
        response.status_code = 201
        response.headers["Location"] = self._services.addresses.registration(registered.tpp)
        return response

    def show(self, number: str) -> Response:
        tpp = self._owned(number)
        records = self._services.register.certificates(tpp)
        certificates = [record_document(record) for record in records]
        return jsonify({**client_data(tpp, self._services.addresses), "certificates": certificates})

    def remove(self, number: str) -> Response:
        self._services.register.leave(self._owned(number))
        self._services.trust.try_delivery()
        return Response(status=204)

    def change_client(self, number: str) -> Response:
        tpp = self._owned(number)
        amendment = parse_client_amendment(json_object())
        with self._turnstile.passage():
            changed = self._services.register.ownership.amend_client(tpp, amendment)
        return jsonify(client_data(changed, self._services.addresses))

    def issue(self, number: str) -> Response:
        tpp = self._owned(number)
        document = json_object(fields=frozenset({"kind", "csr", "fault"}))
        kind = _choice(TppCertificateKind, text_field(document, "kind"), "kind")
        fault = text_field(document, "fault")
        csr = text_field(document, "csr")
        issued = self._services.register.issue(
            tpp,
            kind,
            csr=csr.encode() if csr else None,
            fault=_choice(Fault, fault, "fault") if fault is not None else None,
        )
        if issued.fault is Fault.REVOKED:
            self._services.trust.try_delivery()
        response = jsonify(issued_document(issued))
        response.status_code = 201
        return response

    def revoke(self, number: str, serial: str) -> Response:
        tpp = self._owned(number)
        document = json_object(fields=frozenset({"reason"}))
        reason = _choice(RevocationReason, text_field(document, "reason") or RevocationReason.UNSPECIFIED, "reason")
        record = self._services.register.revoke(tpp, serial, reason)
        return jsonify({**record_document(record), "delivered": self._services.trust.try_delivery()})

    def _owned(self, number: str) -> Tpp:
        token = _bearer_token()
        if token is None:
            raise AccessDenied
        return self._services.register.require_access(number, token)


def _bearer_token() -> str | None:
    header = request.headers.get("Authorization", "")
    return header.removeprefix(_BEARER).strip() if header.startswith(_BEARER) else None


def _csrs(value: object) -> dict[TppCertificateKind, bytes]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(pem, str) for pem in value.values()):
        raise BodyRefused('csr must be an object such as {"qwac": "-----BEGIN CERTIFICATE REQUEST-----…"}')
    return {_choice(TppCertificateKind, str(kind), "csr"): pem.encode() for kind, pem in value.items()}


def _choice(kind: type[_Choice], text: str | None, name: str) -> _Choice:
    try:
        return kind(text or "")
    except ValueError as error:
        raise BodyRefused(f"{name} must be one of {', '.join(kind)}, not {text!r}") from error


def _never_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response

"""First call: commands, a program and a collection with the TPP's own values in them, as the persona one chooses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import NotFound

from sandbox.ca.model import TppCertificateKind
from sandbox.portal.pages.tenants import tpp_with_tenant
from sandbox.samples import service
from sandbox.samples.model import SampleData, example_amount, payment_example
from sandbox.samples.postman import collection
from sandbox.samples.script import script
from sandbox.tpps.held import held_certificates
from sandbox.tpps.model import Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.services import Services
    from sandbox.tenants.model import Persona
    from sandbox.tpps.model import Tpp


@dataclass(frozen=True, slots=True)
class Choice:
    """Who plays the PSU, among whom, and where the browser is sent back to."""

    personas: Sequence[Persona]
    persona: Persona
    redirect_uri: str

    @property
    def query(self) -> str:
        """The choice as an address holds it."""
        return urlencode({"psu": self.persona.psu, "redirect_uri": self.redirect_uri})


def blueprint(services: Services) -> Blueprint:
    """Return the page and its two downloads."""
    pages = Blueprint("first_call", __name__, url_prefix="/tpps/<number>")
    views = _Views(services)
    pages.add_url_rule("/first-call", view_func=views.page)
    pages.add_url_rule("/first_call.py", view_func=views.program)
    pages.add_url_rule("/postman.json", view_func=views.postman)
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services

    def page(self, number: str) -> str:
        tpp = tpp_with_tenant(self._services, number)
        choice = self._choice(tpp)
        data = self._data(tpp, choice)
        return render_template(
            "first_call/page.html",
            tpp=tpp,
            choice=choice,
            data=data,
            opening=service.opening(data, root_fingerprint=self._root_fingerprint()),
            walks=service.walks(data),
            program=script(data),
            has_qwac=self._has_qwac(tpp),
            signs=_signs(tpp),
        )

    def program(self, number: str) -> Response:
        tpp = tpp_with_tenant(self._services, number)
        text = script(self._data(tpp, self._choice(tpp)))
        return _download(text.encode(), name="first_call.py", mimetype="text/x-python")

    def postman(self, number: str) -> Response:
        tpp = tpp_with_tenant(self._services, number)
        document = collection(self._data(tpp, self._choice(tpp)))
        body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        return _download(body, name="postman.json", mimetype="application/json")

    def _choice(self, tpp: Tpp) -> Choice:
        personas = [one for one in self._services.tenant_data.personas(tpp.authorisation_number) if one.accounts]
        psu, redirect_uri = request.args.get("psu"), request.args.get("redirect_uri", tpp.redirect_uris[0])
        persona = next((one for one in personas if psu in {None, one.psu}), None)
        # What is written into commands is chosen from lists: a link that somebody sends can't bring values of its own.
        if persona is None or redirect_uri not in tpp.redirect_uris:
            raise NotFound
        return Choice(personas, persona, redirect_uri)

    def _data(self, tpp: Tpp, choice: Choice) -> SampleData:
        account, addresses = choice.persona.accounts[0], self._services.addresses
        return SampleData(
            client_id=tpp.client_id,
            authorisation_number=str(tpp.authorisation_number),
            organisation=tpp.organisation,
            roles=tpp.roles,
            redirect_uri=choice.redirect_uri,
            welcome=addresses.welcome,
            front=addresses.front,
            edge=addresses.edge,
            psu=choice.persona.psu,
            iban=account.iban,
            amount=example_amount(account.currency),
            payment=payment_example(choice.personas, choice.persona),
            today=self._services.clock.now().date(),
            pushes=tpp.profile is not Profile.BERLIN,
        )

    def _has_qwac(self, tpp: Tpp) -> bool:
        held = held_certificates(self._services.register.certificates(tpp), now=self._services.clock.now())
        return any(each.is_usable and each.record.profile == TppCertificateKind.QWAC for each in held)

    def _root_fingerprint(self) -> str:
        return hashlib.sha256(self._services.authority.ca_certificate("root")).digest().hex(":").upper()


def _signs(tpp: Tpp) -> bool:
    """Answer whether more is asked of its client than curl does by itself: signatures, proofs, a certificate of its own."""
    said = tpp.client_metadata
    more = said.get("dpop_bound_access_tokens") or said.get("require_signed_request_object")
    other = said.get("token_endpoint_auth_method", "tls_client_auth") != "tls_client_auth"
    return bool(more) or other or tpp.profile is Profile.FAPI2_MESSAGE_SIGNING


def _download(body: bytes, *, name: str, mimetype: str) -> Response:
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response

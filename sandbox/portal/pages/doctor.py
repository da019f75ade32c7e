"""The certificate doctor as a page: paste or upload any certificate, and read what it says and what the gateway would say."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, make_response, render_template, request
from wtforms import FileField, TextAreaField

from sandbox.doctor.documents import gateway_says, verdict
from sandbox.doctor.intake import MAX_BYTES
from sandbox.doctor.model import NotExaminable
from sandbox.portal.forms import PortalForm
from sandbox.portal.pages.tpp_forms import sentence
from sandbox.portal.visitor import visitor

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.services import Services

_KEY = b"PRIVATE KEY-----"


class DoctorForm(PortalForm):
    """A certificate, as a file or as text."""

    file = FileField(
        "Certificate, as a file", description=f"PEM or DER, alone or as a bundle, at most {MAX_BYTES // 1024} KiB."
    )
    text = TextAreaField("or pasted", description="From -----BEGIN CERTIFICATE----- to the END line.")

    def sent(self) -> bytes:
        """Return what is to be examined."""
        file = request.files.get(self.file.name)
        uploaded = file.read(MAX_BYTES + 1) if file else b""
        return uploaded or (self.text.data or "").encode()


def blueprint(services: Services) -> Blueprint:
    """Return the page."""
    pages = Blueprint("doctor", __name__)

    def page() -> Response:
        visitor()
        return make_response(render_template("certificates/doctor.html", form=DoctorForm(), examination=None))

    def examine() -> Response:
        who, form = visitor(), DoctorForm.submitted()
        data = form.sent()
        if _KEY in data:
            form.text.data = ""  # a key is not sent back
        own = services.register.of_organisation(who.organisation.id)
        try:
            examination = services.doctor().examine(data, numbers=frozenset(str(tpp.authorisation_number) for tpp in own))
        except NotExaminable as refusal:
            form.refuse("text" if form.text.data else "file", sentence(str(refusal)))
            return make_response(
                render_template("certificates/doctor.html", form=form, examination=None), HTTPStatus.UNPROCESSABLE_ENTITY
            )
        told = {"examination": examination, "verdict": verdict(examination), "gateway_says": gateway_says}
        return make_response(render_template("certificates/doctor.html", form=form, **told))

    pages.add_url_rule("/doctor", view_func=page, methods=["GET"])
    pages.add_url_rule("/doctor", endpoint="examine", view_func=examine, methods=["POST"])
    return pages

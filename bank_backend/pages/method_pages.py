"""The bank app's pages for a PSU's methods: setting up an authenticator app or a passkey, taking a method away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from uuid import UUID  # noqa: TC003 - Flask reads the annotation's converter at run time

from flask import request

from bank_backend.errors import ScaMethodUnknown
from bank_backend.pages.app_pages import HOME, inline_svg
from bank_backend.pages.faults import FormFault, code_of, passkey_answer_of
from bank_backend.pages.rendering import to
from bank_backend.pages.sessions import tell_next
from bank_backend.sca.errors import EnrolmentRefused
from bank_backend.sca.totp import base32_of, provisioning_uri

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup
    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.bankapp.model import SignedIn
    from bank_backend.pages.app_pages import AppPages
    from bank_backend.psus.model import Psu
    from bank_backend.services import Services

METHODS = f"{HOME}/methods"
_MOST_LABEL_CHARACTERS = 40


class MethodPages:
    """One method a route: parse, call, render."""

    def __init__(self, services: Services, app: AppPages) -> None:
        """Set up what `services.enrolment` keeps, for who has signed in to `app`."""
        self._enrolment = services.enrolment
        self._app = app

    def methods(self) -> AnyResponse:
        """Show the PSU's methods."""
        return self._methods(self._app.signed_in())

    def begin_totp(self) -> AnyResponse:
        """Make a secret for an authenticator app."""
        return self._begun(self._enrolment.begin_totp, "totp")

    def totp(self) -> AnyResponse:
        """Show the secret that is being set up, as a QR code and as text."""
        return self._totp(self._app.signed_in())

    def finish_totp(self) -> AnyResponse:
        """Take the authenticator app's first code."""
        who = self._app.signed_in_by_form()
        try:
            self._enrolment.finish_totp(who.psu, code_of(request.form))
        except (FormFault, EnrolmentRefused) as error:
            return self._totp(who, FormFault.of(error, field="code"))
        return _back("Your authenticator app is set up. Its next code can confirm something.")

    def begin_passkey(self) -> AnyResponse:
        """Make a challenge for a new passkey."""
        return self._begun(self._enrolment.begin_passkey, "passkey")

    def passkey(self) -> AnyResponse:
        """Show what makes the passkey."""
        return self._passkey(self._app.signed_in())

    def finish_passkey(self) -> AnyResponse:
        """Take the new passkey's key."""
        who = self._app.signed_in_by_form()
        label = "".join(filter(str.isprintable, request.form.get("label", ""))).strip()[:_MOST_LABEL_CHARACTERS]
        try:
            self._enrolment.finish_passkey(who.psu, passkey_answer_of(request.form), label=label)
        except (FormFault, EnrolmentRefused) as error:
            return self._passkey(who, FormFault.of(error, field="passkey"))
        return _back("Your passkey is set up.")

    def remove(self, method: UUID) -> AnyResponse:
        """Take a method away."""
        who = self._app.signed_in_by_form()
        try:
            self._enrolment.remove(who.psu.tenant, who.psu.id, str(method))
        except (EnrolmentRefused, ScaMethodUnknown) as error:
            return self._methods(who, FormFault.of(error, field="methods"))
        return _back("The method has been taken away.")

    def _begun(self, begin: Callable[[Psu], None], name: str) -> AnyResponse:
        who = self._app.signed_in_by_form()
        try:
            begin(who.psu)
        except EnrolmentRefused as error:
            return self._methods(who, FormFault.of(error, field="methods"))
        return to(f"{METHODS}/{name}")

    def _methods(self, who: SignedIn, fault: FormFault | None = None) -> AnyResponse:
        methods = self._enrolment.enrolled(who.psu.tenant, who.psu.id)
        return self._app.show("app_methods", who, fault=fault, methods=methods)

    def _totp(self, who: SignedIn, fault: FormFault | None = None) -> AnyResponse:
        secret = self._enrolment.totp_secret(who.psu)
        account = f"{who.psu.id} ({who.tpp.name})"
        typed = base32_of(secret)
        groups = " ".join(typed[start : start + 4] for start in range(0, len(typed), 4))
        return self._app.show(
            "app_totp", who, fault=fault, picture=_qr_code(provisioning_uri(secret, account=account)), typed=groups
        )

    def _passkey(self, who: SignedIn, fault: FormFault | None = None) -> AnyResponse:
        options = self._enrolment.passkey_request(who.psu)
        return self._app.show("app_passkey", who, fault=fault, scripted=True, options=options)


def _qr_code(text: str) -> Markup:
    """Return the QR code as SVG, without style or script: the content policy takes neither (ISO/IEC 18004)."""
    # Imported late: it takes longer to load than any other library here, and few enrol an authenticator.
    import segno

    drawing = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(drawing, kind="svg", scale=5, xmldecl=False, svgns=False, svgclass=None, lineclass=None, light="#fff")
    return inline_svg(drawing.getvalue().decode())


def _back(told: str) -> AnyResponse:
    answer = to(METHODS)
    tell_next(answer, told)
    return answer

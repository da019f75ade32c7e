"""The operator's pages: every TPP, every developer, and how the platform is. For anybody else they do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, flash, make_response, render_template, request
from werkzeug.exceptions import NotFound
from wtforms import StringField
from wtforms.validators import Length

from chassis.peers import PeerUnavailable
from sandbox.answers import PeerRefused
from sandbox.calls.service import SPANS
from sandbox.developers.errors import UnknownDeveloper
from sandbox.portal.addresses import see_other
from sandbox.portal.forms import PortalForm, form_page, on_one_line, required
from sandbox.portal.pages.call_chart import chart_of
from sandbox.portal.visitor import require_operator
from sandbox.tpps.errors import UnknownTpp
from sandbox.tpps.held import held_certificates
from sandbox.tpps.model import TppStatus

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.wrappers import Response

    from sandbox.calls.model import Summary
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

MOST_ON_A_PAGE: Final = 50
_LONGEST_TEXT: Final = 140


class BlockForm(PortalForm):
    """Why a TPP is blocked."""

    reason = StringField(
        "Reason",
        [
            required("Say why: the TPP's developers read it."),
            Length(max=300, message="At most 300 characters."),
            on_one_line,
        ],
        description="The developers of the TPP read this on its pages.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TppRow:
    """A TPP as the list shows it; `expires` is the soonest end of a certificate in force, None without one."""

    tpp: Tpp
    organisation: str | None
    expires: datetime | None


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("operator", __name__, url_prefix="/operator")
    pages.before_request(_require_operator)
    views = _Views(services)
    pages.add_url_rule("", view_func=views.tpps, methods=["GET"])
    pages.add_url_rule("/tpps/<number>", view_func=views.tpp, methods=["GET"])
    pages.add_url_rule("/tpps/<number>/block", view_func=views.block, methods=["POST"])
    pages.add_url_rule("/tpps/<number>/unblock", view_func=views.unblock, methods=["POST"])
    pages.add_url_rule("/developers", view_func=views.developers, methods=["GET"])
    pages.add_url_rule("/developers/<developer_id>/<action>", view_func=views.change_developer, methods=["POST"])
    pages.add_url_rule("/servers", view_func=views.servers, methods=["GET"])
    return pages


def _require_operator() -> None:
    require_operator()


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._register = services.register

    # --- TPPs ---------------------------------------------------------------------------------------------------------

    def tpps(self) -> str:
        wanted, state = _text("q"), _text("state")
        organisations = self._organisations()
        found = [
            tpp
            for tpp in self._register.all()
            if _names(tpp, organisations.get(tpp.organisation_id or ""), wanted) and state in {"", tpp.status.value}
        ]
        page = max(request.args.get("page", 1, type=int), 1)
        shown = found[(page - 1) * MOST_ON_A_PAGE : page * MOST_ON_A_PAGE]
        return render_template(
            "operator/tpps.html",
            rows=[self._row(tpp, organisations) for tpp in shown],
            count=len(found),
            page=page,
            has_more=page * MOST_ON_A_PAGE < len(found),
            q=wanted,
            state=state,
            states=TppStatus,
        )

    def tpp(self, number: str) -> Response:
        return self._tpp_page(self._tpp(number), BlockForm())

    def block(self, number: str) -> Response:
        tpp, form = self._tpp(number), BlockForm.submitted()
        if not form.validate():
            return self._tpp_page(tpp, form)
        self._register.set_blocked(tpp, blocked=True, reason=(form.reason.data or "").strip())
        flash(f"{tpp.organisation} is blocked. The gateway refuses it within a second.", "good")
        return see_other(f"/operator/tpps/{number}")

    def unblock(self, number: str) -> Response:
        tpp = self._tpp(number)
        if tpp.status is TppStatus.BLOCKED:
            self._register.set_blocked(tpp, blocked=False)
            flash(f"{tpp.organisation} may call again.", "good")
        return see_other(f"/operator/tpps/{number}")

    def _tpp_page(self, tpp: Tpp, form: BlockForm) -> Response:
        summary = self._summary(tpp)
        return form_page(
            "operator/tpp.html",
            form,
            tpp=tpp,
            organisation=self._organisations().get(tpp.organisation_id or ""),
            held=held_certificates(self._register.certificates(tpp), now=self._services.clock.now()),
            summary=summary,
            chart=chart_of(summary) if summary else None,
        )

    def _summary(self, tpp: Tpp) -> Summary | None:
        """Return the calls of the last hour; None while the gateway does not say: blocking must be possible all the same."""
        try:
            return self._services.calls.summary(tpp, SPANS[0])
        except (PeerUnavailable, PeerRefused):
            return None

    def _tpp(self, number: str) -> Tpp:
        try:
            tpp = self._register.require(number[:_LONGEST_TEXT])
        except UnknownTpp:
            raise NotFound from None
        if str(tpp.authorisation_number) != number:
            raise NotFound
        return tpp

    def _row(self, tpp: Tpp, organisations: dict[str, str]) -> TppRow:
        held = held_certificates(self._register.certificates(tpp), now=self._services.clock.now())
        ends = [each.record.not_after for each in held if each.is_usable]
        return TppRow(tpp=tpp, organisation=organisations.get(tpp.organisation_id or ""), expires=min(ends) if ends else None)

    def _organisations(self) -> dict[str, str]:
        return {organisation.id: organisation.name for _, organisation in self._services.developers.all()}

    # --- developers ---------------------------------------------------------------------------------------------------

    def developers(self) -> str:
        wanted = _text("q").casefold()
        people = [
            (developer, organisation)
            for developer, organisation in self._services.developers.all()
            if wanted in f"{developer.email} {developer.name} {organisation.name}".casefold()
        ]
        return render_template("operator/developers.html", people=people[:MOST_ON_A_PAGE], count=len(people), q=_text("q"))

    def change_developer(self, developer_id: str, action: str) -> Response:
        developers, me = self._services.developers, require_operator().developer
        try:
            if action == "end-sessions":
                flash(f"{developers.end_sessions_of(developer_id)} sessions ended.", "good")
            elif action in {"disable", "enable"}:
                if developer_id == me.id:
                    flash("You can't disable yourself: ask another operator.", "warn")
                    return see_other("/operator/developers")
                developers.set_disabled(developer_id, is_disabled=action == "disable")
                flash("Disabled, and all sessions ended." if action == "disable" else "Enabled again.", "good")
            else:
                raise NotFound
        except UnknownDeveloper:
            raise NotFound from None
        return see_other("/operator/developers")

    # --- servers ------------------------------------------------------------------------------------------------------

    def servers(self) -> Response:
        health = self._services.health.look()
        return make_response(render_template("operator/servers.html", health=health), HTTPStatus.OK)


def _names(tpp: Tpp, organisation: str | None, wanted: str) -> bool:
    whole = f"{tpp.authorisation_number} {tpp.name} {tpp.organisation} {organisation or ''}"
    return wanted.casefold() in whole.casefold()


def _text(name: str) -> str:
    return request.args.get(name, "").strip()[:_LONGEST_TEXT]

"""Shaping a TPP's bank: how it answers, clock, snapshots, faults, people. Each form leads back here once it is done."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, flash, make_response, render_template, request
from werkzeug.exceptions import NotFound

from sandbox.answers import PeerRefused
from sandbox.portal.addresses import see_other
from sandbox.portal.pages.brought_in import UploadRefused, take_larger_forms
from sandbox.portal.pages.paths import tpp_path
from sandbox.portal.pages.tenants import tpp_with_tenant
from sandbox.portal.pages.workbench_forms import (
    KINDS,
    ClockForm,
    FaultForm,
    ImportForm,
    LeverForm,
    PersonalityForm,
    ShapeForm,
    SnapshotForm,
)
from sandbox.tenants.levers import LinesRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

_OF_WHAT_WAS_ASKED: Final = frozenset({400, 404, 409, 413, 422})
_FORMATS: Final = {"json": ("application/json", "test-data.json"), "csv": ("application/zip", "test-data.zip")}
_LONGEST_NAME: Final = 64
_FORMS: Final = (ClockForm, SnapshotForm, FaultForm, ShapeForm, ImportForm)


def blueprint(services: Services) -> Blueprint:
    """Return the page, its forms, the confirmations and the export."""
    pages = Blueprint("workbench", __name__, url_prefix="/tpps/<number>/data/workbench")
    views = _Views(services)
    pages.add_url_rule("", view_func=views.page, methods=["GET"])
    pages.add_url_rule("/personality", view_func=views.choose, methods=["POST"])
    pages.add_url_rule("/clock", view_func=views.move_clock, methods=["POST"])
    pages.add_url_rule("/snapshots", view_func=views.take_snapshot, methods=["POST"])
    pages.add_url_rule("/snapshots/<name>/restore", view_func=views.confirm_restore, methods=["GET"])
    pages.add_url_rule("/snapshots/<name>/restore", view_func=views.restore, methods=["POST"])
    pages.add_url_rule("/snapshots/<name>/delete", view_func=views.delete_snapshot, methods=["POST"])
    pages.add_url_rule("/faults", view_func=views.set_fault, methods=["POST"])
    pages.add_url_rule("/faults/clear", view_func=views.clear_faults, methods=["POST"])
    pages.add_url_rule("/people", view_func=views.generate, methods=["POST"])
    pages.add_url_rule("/reset", view_func=views.confirm_reset, methods=["GET"])
    pages.add_url_rule("/reset", view_func=views.reset, methods=["POST"])
    pages.add_url_rule("/export", view_func=views.export, methods=["GET"])
    pages.add_url_rule("/import", view_func=views.bring_in, methods=["POST"])
    return pages


def take_test_data(app: Flask) -> None:
    """Let `app` take files of test data; call it before anything that reads forms is installed."""
    take_larger_forms(app, "workbench.bring_in")


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._levers = services.levers

    def page(self, number: str) -> Response:
        return self._shown(tpp_with_tenant(self._services, number))

    def choose(self, number: str) -> AnyResponse:
        def change(tpp: Tpp, form: LeverForm) -> str:
            wanted = str(form.document().get("personality", ""))[:_LONGEST_NAME]
            chosen = self._services.personalities.choose(tpp.authorisation_number, wanted).chosen
            return f"Your bank answers as {chosen} from now on."

        return self._done(number, PersonalityForm.submitted(), change)

    def move_clock(self, number: str) -> AnyResponse:
        def move(tpp: Tpp, form: LeverForm) -> str:
            reading = self._levers.advance_clock(tpp.authorisation_number, str(form.document().get("by", "")))
            return f"The clock shows {_moment(reading['now'])}. Scheduled tasks that have run: {reading['tasksRun']}."

        return self._done(number, ClockForm.submitted(), move)

    def take_snapshot(self, number: str) -> AnyResponse:
        def take(tpp: Tpp, form: LeverForm) -> str:
            kept = self._levers.take_snapshot(tpp.authorisation_number, str(form.document().get("name", "")))
            return f"{kept['name']} is kept."

        return self._done(number, SnapshotForm.submitted(), take)

    def set_fault(self, number: str) -> AnyResponse:
        def put(tpp: Tpp, form: LeverForm) -> str:
            fault = self._levers.set_fault(tpp.authorisation_number, form.document())
            return f"Set: {KINDS.get(fault['kind'], fault['kind'])}, on {fault['method']} {fault['path']}."

        return self._done(number, FaultForm.submitted(), put)

    def generate(self, number: str) -> AnyResponse:
        def make(tpp: Tpp, form: LeverForm) -> str:
            made = self._levers.generate(tpp.authorisation_number, form.document())
            return f"{len(made['personas'])} people are new, with {made['transactions']} transactions: see Test data."

        return self._done(number, ShapeForm.submitted(), make)

    def clear_faults(self, number: str) -> AnyResponse:
        tpp = tpp_with_tenant(self._services, number)
        fault_id = request.form.get("fault", "")[:_LONGEST_NAME] or None
        return self._told(tpp, lambda: f"Faults cleared: {self._levers.clear_faults(tpp.authorisation_number, fault_id)}.")

    def delete_snapshot(self, number: str, name: str) -> AnyResponse:
        tpp = tpp_with_tenant(self._services, number)

        def delete() -> str:
            self._levers.delete_snapshot(tpp.authorisation_number, name)
            return f"{name} is deleted."

        return self._told(tpp, delete)

    def confirm_restore(self, number: str, name: str) -> str:
        tpp = tpp_with_tenant(self._services, number)
        kept = next((one for one in self._levers.snapshots(tpp.authorisation_number) if one["name"] == name), None)
        if kept is None:
            raise NotFound
        return render_template("people/restore.html", tpp=tpp, snapshot=kept, moment=_moment)

    def restore(self, number: str, name: str) -> AnyResponse:
        tpp = tpp_with_tenant(self._services, number)

        def put_back() -> str:
            restored = self._levers.restore_snapshot(tpp.authorisation_number, name)
            return f"{name} is restored, and the clock shows {_moment(restored['clock'])}."

        return self._told(tpp, put_back)

    def confirm_reset(self, number: str) -> str:
        return render_template("people/reset.html", tpp=tpp_with_tenant(self._services, number))

    def reset(self, number: str) -> AnyResponse:
        tpp = tpp_with_tenant(self._services, number)

        def make_new() -> str:
            made = self._levers.reset(tpp.authorisation_number)
            return (
                f"The bank is as new: {made['psus']} people, {made['accounts']} accounts, {made['transactions']} transactions."
            )

        return self._told(tpp, make_new)

    def export(self, number: str) -> Response:
        tpp = tpp_with_tenant(self._services, number)
        content_type, name = _FORMATS.get(request.args.get("format", ""), _FORMATS["json"])
        content = self._levers.export(tpp.authorisation_number, "json" if content_type == "application/json" else "csv")
        return Response(content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def bring_in(self, number: str) -> AnyResponse:
        form = ImportForm.submitted()

        def replace(tpp: Tpp, _form: LeverForm) -> str:
            taken = self._levers.bring_in(tpp.authorisation_number, *form.sent())
            return f"Brought in: {taken['psus']} people, {taken['accounts']} accounts, {taken['transactions']} transactions."

        return self._done(number, form, replace)

    def _done(self, number: str, form: LeverForm, work: Callable[[Tpp, LeverForm], str]) -> AnyResponse:
        """Do what a form asks for; what the bank refuses stands at its field."""
        tpp = tpp_with_tenant(self._services, number)
        try:
            flash(work(tpp, form), "good")
        except PeerRefused as refused:
            if refused.status not in _OF_WHAT_WAS_ASKED:
                raise
            form.refuse_as_told(refused.detail)
            return self._shown(tpp, form, faulty=refused if isinstance(refused, LinesRefused) else None)
        except UploadRefused as refused:
            form.refuse_as_told(str(refused))
            return self._shown(tpp, form)
        return see_other(tpp_path(tpp, "data", "workbench"))

    def _told(self, tpp: Tpp, work: Callable[[], str]) -> AnyResponse:
        """Do what a button asks for; there is no field at which a refusal could stand."""
        try:
            flash(work(), "good")
        except PeerRefused as refused:
            if refused.status not in _OF_WHAT_WAS_ASKED:
                raise
            flash(refused.detail, "bad")
        return see_other(tpp_path(tpp, "data", "workbench"))

    def _shown(self, tpp: Tpp, form: LeverForm | None = None, *, faulty: LinesRefused | None = None) -> Response:
        """Return the page: as new, or (422) with the form that was refused and the lines that are wrong."""
        number = tpp.authorisation_number
        choice = self._services.personalities.choice(number)
        forms = {kind: form if isinstance(form, kind) else kind() for kind in _FORMS}
        page = render_template(
            "people/workbench.html",
            tpp=tpp,
            form=form,
            choice=choice,
            personality_form=(form if isinstance(form, PersonalityForm) else PersonalityForm()).offering(choice),
            clock_form=forms[ClockForm],
            snapshot_form=forms[SnapshotForm],
            fault_form=forms[FaultForm],
            shape_form=forms[ShapeForm],
            import_form=forms[ImportForm],
            faulty=faulty,
            clock=self._levers.clock(number),
            snapshots=self._levers.snapshots(number),
            standing_faults=self._levers.faults(number),
            kinds=KINDS,
            moment=_moment,
        )
        return make_response(page, HTTPStatus.OK if form is None else HTTPStatus.UNPROCESSABLE_ENTITY)


def _moment(text: str) -> str:
    """Return a time as people read it: `2026-11-18 10:26 UTC`."""
    return f"{text[:10]} {text[11:16]} UTC"

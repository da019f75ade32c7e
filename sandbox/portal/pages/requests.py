"""A TPP's own calls: the newest ones, each explained, and how many there were over time."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import orjson
from flask import Blueprint, make_response, render_template, request
from werkzeug.exceptions import NotFound

from sandbox.calls.model import CallFilter, Outcome, Result
from sandbox.calls.service import SPANS, UnknownCall, is_place
from sandbox.portal.addresses import see_other
from sandbox.portal.pages.call_chart import chart_of
from sandbox.portal.pages.call_questions import questions_about
from sandbox.portal.pages.call_words import OUTCOME_WORDS, RESULT_WORDS, clock_time, help_with
from sandbox.portal.visitor import owned_tpp, visitor

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from sandbox.calls.model import CallPage, Span
    from sandbox.services import Services

_LONGEST_TEXT: Final = 140


def blueprint(services: Services) -> Blueprint:
    """Return the pages."""
    pages = Blueprint("requests", __name__)
    views = _Views(services)
    pages.add_url_rule("/tpps/<number>/requests", view_func=views.listed, methods=["GET"])
    pages.add_url_rule("/tpps/<number>/requests/news", view_func=views.news, methods=["GET"])
    pages.add_url_rule("/requests", view_func=views.find, methods=["GET"])
    pages.add_url_rule("/requests/<request_id>", view_func=views.one, methods=["GET"])
    pages.add_app_template_filter(clock_time)
    pages.context_processor(lambda: {"outcome_words": OUTCOME_WORDS, "result_words": RESULT_WORDS})
    return pages


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._calls = services.calls

    def listed(self, number: str) -> Response:
        tpp, wanted, span = owned_tpp(self._services, number), _wanted(), _span()
        summary = self._calls.summary(tpp, span)
        found = self._calls.page(tpp, wanted)
        return _page("list", tpp=tpp, spans=SPANS, summary=summary, chart=chart_of(summary), **_list(found, wanted, span))

    def news(self, number: str) -> Response:
        """Answer with the calls since the newest shown, 204 while there are none: a page asks every few seconds."""
        tpp, wanted = owned_tpp(self._services, number), _wanted()
        found = self._calls.page(tpp, wanted)
        if not found.calls:
            return make_response("", HTTPStatus.NO_CONTENT)
        return _page("_news", tpp=tpp, **_list(found, wanted, _span()))

    def find(self) -> Response:
        """Lead to the call whose id was typed in."""
        visitor()
        text = request.args.get("id", "").strip()[:_LONGEST_TEXT]
        return see_other(f"/requests/{text}") if text.replace("-", "").isalnum() and text.isascii() else self._not_found(text)

    def one(self, request_id: str) -> Response:
        owned = self._services.register.of_organisation(visitor().organisation.id)
        try:
            found = self._calls.one(request_id, owned=owned)
        except UnknownCall:
            return self._not_found(request_id)
        call = found.call
        tpp = next((tpp for tpp in owned if str(tpp.authorisation_number) == call.tpp), None)
        failed = next((stage for stage in found.stages if stage.result is Result.FAILED), None)
        record = orjson.dumps(call.record, option=orjson.OPT_INDENT_2).decode()
        return _page(
            "call" if tpp else "nobodys_call",
            tpp=tpp,
            call=call,
            stages=found.stages,
            failed=failed,
            help=help_with(call.explanation, tpp),
            questions=questions_about(call, tpp, edge=self._services.addresses.edge),
            record=record,
        )

    def _not_found(self, text: str) -> Response:
        """Answer in the same way for a call of another organisation and for one that nobody made."""
        if not text:
            raise NotFound
        return _page("not_found", HTTPStatus.NOT_FOUND, searched=text[:_LONGEST_TEXT])


def _wanted() -> CallFilter:
    """Read the filters; what makes no sense filters nothing."""
    outcome = request.args.get("outcome", "")
    return CallFilter(
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
        reason=request.args.get("reason", "").strip()[:_LONGEST_TEXT] or None,
        text=request.args.get("text", "").strip()[:_LONGEST_TEXT] or None,
        before=_place("before"),
        since=_place("since"),
    )


def _place(name: str) -> str | None:
    text = request.args.get(name, "")
    return text if is_place(text) else None


def _span() -> Span:
    return next((span for span in SPANS if span.name == request.args.get("span")), SPANS[0])


def _list(found: CallPage, wanted: CallFilter, span: Span) -> dict[str, object]:
    def query(**changes: str) -> dict[str, str]:
        """Return the filters of this page as parameters, but for `changes`."""
        present = {"span": span.name, "outcome": wanted.outcome, "reason": wanted.reason, "text": wanted.text, **changes}
        return {name: value for name, value in present.items() if value}

    return {
        "wanted": wanted,
        "span": span,
        "query": query,
        "calls": found.calls,
        "older": found.older,
        "newest": found.newest or wanted.since,
        "is_complete": found.is_complete,
    }


def _page(name: str, status: HTTPStatus = HTTPStatus.OK, /, **values: object) -> Response:
    return make_response(render_template(f"requests/{name}.html", **values), status)

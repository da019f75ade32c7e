"""Refusals and failures as pages for people, instead of problem documents for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from flask import make_response, render_template, request
from werkzeug.exceptions import HTTPException

from bank_backend.bankapp.errors import NotSignedIn
from bank_backend.errors import BankError, BankUnavailable, ResourceUnknown
from bank_backend.grounds import tell_failure, tell_refusal
from bank_backend.pages.rendering import to
from chassis.logs import get_logger
from chassis.sql.database import first_line, is_unavailability

if TYPE_CHECKING:
    from flask import Blueprint, Response
    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.interactions.model import Interaction

_UNEXPECTED = "Something went wrong at the bank. Nothing was approved by it. Please try again in a moment."
# Not "nothing was approved": what was being written when the connection broke may stand.
_UNREACHABLE = "Please open this request again in a few seconds: it shows how things stand."
_HTTP_TITLES = {
    404: ("This page does not exist", "The address may have been mistyped, or the request is long over."),
    405: ("This page can't be opened like that", "Go back to the company that sent you here and start again."),
    413: ("That was too much", "The form holds more than this page takes."),
}


def render_problem_pages(routes: Blueprint) -> None:
    """Make every refusal and failure of the blueprint a page."""
    routes.register_error_handler(NotSignedIn, _sign_in_first)
    routes.register_error_handler(BankError, refusal_page)
    routes.register_error_handler(HTTPException, _http_page)
    routes.register_error_handler(Exception, _failure_page)
    routes.add_url_rule("/psu/<path:anything>", view_func=_no_such_page, methods=["GET", "POST"])


def _no_such_page(anything: str) -> NoReturn:
    raise ResourceUnknown(f"there is no page {anything[:40]!r}")


def _sign_in_first(_error: NotSignedIn) -> AnyResponse:
    return to("/psu/app")


def refusal_page(error: BankError, *, text: str | None = None, closed: Interaction | None = None) -> Response:
    """Return the page of a refusal, with the way back from a visit that it has `closed`."""
    page = _page(error.status, error.title, text or f"{error.text[:1].upper()}{error.text[1:]}.", closed)
    page.headers.update(error.headers)
    tell_refusal(page, error)
    return page


def _http_page(error: HTTPException) -> Response:
    status = error.code or 500
    title, text = _HTTP_TITLES.get(status, (error.name, error.description or ""))
    return _page(status, title, text)


def _failure_page(error: Exception) -> Response:
    if is_unavailability(error):
        get_logger().warning("database.unavailable", request=request.headers.get("X-Sandbox-Request"), error=first_line(error))
        page = refusal_page(BankUnavailable(), text=_UNREACHABLE)
        page.headers["Retry-After"] = "1"
        return page
    get_logger().error("request.failed", request=request.headers.get("X-Sandbox-Request"), path=request.path, exc_info=error)
    page = _page(500, "The bank failed", _UNEXPECTED)
    tell_failure(page)
    return page


def _page(status: int, title: str, text: str, closed: Interaction | None = None) -> Response:
    visit = (request.view_args or {}).get("interaction")
    return make_response(render_template("psu/problem.html", title=title, text=text, visit_id=visit, closed=closed), status)

"""Answers that pages share: a page, a page with a fault, a way on (RFC 9110 §15.4.4: after a form, look at another page)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, redirect, render_template, request

from bank_backend.pages.headers import allow_own_scripts

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from bank_backend.pages.faults import FormFault

_NO_CONTENT = 204
_SEE_OTHER = 303
_UNPROCESSABLE = 422


def page(template: str, *, fault: FormFault | None = None, scripted: bool = False, **context: object) -> Response:
    """Return a page; `scripted` ones run our own scripts. One with a fault says so by its status."""
    if scripted:
        allow_own_scripts()
    text = render_template(f"psu/{template}.html", fault=fault, scripted=scripted, **context)
    return make_response(text, _UNPROCESSABLE if fault else 200)


def to(path: str) -> AnyResponse:
    """Send the browser on to another page."""
    return redirect(path, code=_SEE_OTHER)


def no_news() -> Response:
    """Answer a page that looks for news that there is none: what it shows stays."""
    return make_response("", _NO_CONTENT)


def news_at(path: str) -> AnyResponse:
    """Answer a page that looks for news: it goes on to `path`, also without a script."""
    if "HX-Request" not in request.headers:
        return to(path)
    answer = no_news()
    answer.headers["HX-Redirect"] = path
    return answer

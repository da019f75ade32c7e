"""The demo app's Flask application: pages in, hardened answers out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, g, jsonify, redirect, request, send_from_directory
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]
from werkzeug.exceptions import MisdirectedRequest, NotFound

from chassis import look
from tpp_client.web import accounts_pages, connection_pages, payment_pages
from tpp_client.web.browser import BrowserSessions
from tpp_client.web.problems import install_problems
from tpp_client.web.visitor import address_of_browser, note_visitor, visitor
from tpp_client.web.wording import install_wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response as BaseResponse

    from tpp_client.web.bootstrap import Services

_LARGEST_BODY_BYTES = 16_384
_MOST_FORM_FIELDS = 30
_OPEN_ENDPOINTS = frozenset({"health", "static", "look_file"})
_REDIRECTS = range(300, 400)


def create_app(services: Services) -> Flask:
    """Return the application; whom it answers to is judged in front of it (`chassis.serving.callers`)."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=services.form_key,
        MAX_CONTENT_LENGTH=_LARGEST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=_LARGEST_BODY_BYTES,
        MAX_FORM_PARTS=_MOST_FORM_FIELDS,
        WTF_CSRF_TIME_LIMIT=services.settings.visit_seconds,
    )
    app.session_interface = BrowserSessions(lifetime_seconds=services.settings.visit_seconds)
    app.before_request(_gate(services))
    CSRFProtect(app)
    app.after_request(_keep_calls)
    app.after_request(_hardening(services))
    app.add_url_rule("/health", "health", _health)
    app.add_url_rule("/look/<name>", "look_file", _look_file)
    for pages in (connection_pages, accounts_pages, payment_pages):
        app.register_blueprint(pages.blueprint(services))
    install_wording(app, services)
    install_problems(app)
    return app


def _gate(services: Services) -> Callable[[], BaseResponse | None]:
    """Return what stands before every page: the app's own name, a pace, and who is asking."""
    settings, pace = services.settings, services.pace

    def gate() -> BaseResponse | None:
        note_visitor(services)
        if request.endpoint in _OPEN_ENDPOINTS:
            return None
        if f"https://{request.host}" != settings.origin:
            return _to_own_name(settings.origin)
        sends = request.method == "POST"
        most = settings.orders_per_minute if sends else settings.requests_per_minute
        pace.spend("orders" if sends else "requests", address_of_browser(), most=most)
        return None

    return gate


def _to_own_name(origin: str) -> BaseResponse:
    """Lead to the name that the bank leads back to: by another name the cookie would be another one."""
    if request.method not in {"GET", "HEAD"}:
        raise MisdirectedRequest
    return redirect(f"{origin}{request.full_path.removesuffix('?')}", 307)


def _keep_calls(response: Response) -> Response:
    """Keep the calls of a redirect for the page it leads to; forget those that were shown."""
    asking = visitor()
    if response.status_code in _REDIRECTS and asking.calls:
        asking.change(lambda visit: visit.with_unseen(asking.calls))
    elif g.get("shown_calls"):
        asking.change(lambda visit: visit.without_calls(g.shown_calls))
    return response


def _hardening(services: Services) -> Callable[[Response], Response]:
    headers = {
        "Content-Security-Policy": (
            # form-action names the bank's front: Chromium applies it to the redirect that follows a form too.
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"form-action 'self' {services.settings.front_origin}; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        # To ourselves, where forms are checked by it; never to the bank: a callback's address holds a code.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    def harden(response: Response) -> Response:
        response.headers.update(headers)
        if request.endpoint not in _OPEN_ENDPOINTS:
            response.headers["Cache-Control"] = "no-store"
        return response

    return harden


def _health() -> Response:
    return jsonify({"status": "ok"})


def _look_file(name: str) -> Response:
    if name not in look.FILES:
        raise NotFound
    response = send_from_directory(Path(look.FOLDER), name)
    response.headers["Cache-Control"] = look.cache_control(name, request.args.get("v"))
    return response

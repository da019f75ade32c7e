"""The bank's pages for PSUs under /psu on the front listener: visits, and the bank app (docs/architecture.md §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request, send_from_directory

from bank_backend.pages.app_pages import HOME, AppPages
from bank_backend.pages.consent_pages import CONSENTS, ConsentPages
from bank_backend.pages.headers import add_security_headers
from bank_backend.pages.method_pages import METHODS, MethodPages
from bank_backend.pages.problems import render_problem_pages
from bank_backend.pages.visit_pages import VisitPages
from bank_backend.pages.wording import FILTERS
from chassis import look

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.services import Services

_GET, _POST = ("GET",), ("POST",)


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("psu", __name__, template_folder="templates", static_folder="static", static_url_path="/psu/static")
    routes.after_request(add_security_headers)
    render_problem_pages(routes)
    for name, function in FILTERS.items():
        routes.add_app_template_filter(function, name)
    app_pages = AppPages(services)
    _add_app(routes, app_pages)
    _add_methods(routes, MethodPages(services, app_pages))
    _add_consents(routes, ConsentPages(services, app_pages))
    _add_visits(routes, VisitPages(services))
    routes.add_url_rule("/psu/look/<name>", "look", _look, methods=_GET)
    app.jinja_env.globals.update(look=_address, htmx_config=look.HTMX_CONFIG)
    app.register_blueprint(routes)


def _add_visits(routes: Blueprint, pages: VisitPages) -> None:
    visit = "/psu/<uuid:interaction>"
    routes.add_url_rule(visit, view_func=pages.current, methods=_GET)
    routes.add_url_rule("/psu/authorisations/<uuid:authorisation>", view_func=pages.enter, methods=_GET)
    routes.add_url_rule(f"{visit}/login", view_func=pages.log_in, methods=_POST)
    routes.add_url_rule(f"{visit}/accounts", view_func=pages.accounts, methods=_GET)
    routes.add_url_rule(f"{visit}/accounts", "choose", pages.choose, methods=_POST)
    routes.add_url_rule(f"{visit}/send", view_func=pages.start, methods=_POST)
    routes.add_url_rule(f"{visit}/confirm", view_func=pages.confirm, methods=_POST)
    routes.add_url_rule(f"{visit}/waiting", view_func=pages.waiting, methods=_GET)
    routes.add_url_rule(f"{visit}/refuse", view_func=pages.refuse, methods=_POST)
    routes.add_url_rule(f"{visit}/done", view_func=pages.done, methods=_GET)
    routes.add_url_rule("/psu/inbox", view_func=pages.inbox, methods=_GET)


def _add_app(routes: Blueprint, pages: AppPages) -> None:
    one = f"{HOME}/requests/<uuid:authorisation>"
    routes.add_url_rule(HOME, "app", pages.home, methods=_GET)
    routes.add_url_rule(f"{HOME}/bank", "app_bank", pages.choose_bank, methods=_GET)
    routes.add_url_rule(f"{HOME}/at/<path:tpp>", "app_sign_in_page", pages.sign_in_page, methods=_GET)
    routes.add_url_rule(f"{HOME}/sign-in", "app_sign_in", pages.sign_in, methods=_POST)
    routes.add_url_rule(f"{HOME}/sign-out", "app_sign_out", pages.sign_out, methods=_POST)
    routes.add_url_rule(f"{HOME}/waiting", "app_waiting", pages.waiting, methods=_GET)
    routes.add_url_rule(f"{one}/approve", "app_approve", pages.approve, methods=_POST)
    routes.add_url_rule(f"{one}/reject", "app_reject", pages.reject, methods=_POST)
    routes.add_url_rule(f"{HOME}/inbox", "app_inbox", pages.inbox, methods=_GET)


def _add_methods(routes: Blueprint, pages: MethodPages) -> None:
    totp, passkey = f"{METHODS}/totp", f"{METHODS}/passkey"
    routes.add_url_rule(METHODS, view_func=pages.methods, methods=_GET)
    routes.add_url_rule(totp, view_func=pages.totp, methods=_GET)
    routes.add_url_rule(totp, view_func=pages.begin_totp, methods=_POST)
    routes.add_url_rule(f"{totp}/confirm", view_func=pages.finish_totp, methods=_POST)
    routes.add_url_rule(passkey, view_func=pages.passkey, methods=_GET)
    routes.add_url_rule(passkey, view_func=pages.begin_passkey, methods=_POST)
    routes.add_url_rule(f"{passkey}/confirm", view_func=pages.finish_passkey, methods=_POST)
    routes.add_url_rule(f"{METHODS}/<uuid:method>/remove", view_func=pages.remove, methods=_POST)


def _add_consents(routes: Blueprint, pages: ConsentPages) -> None:
    routes.add_url_rule(CONSENTS, view_func=pages.consents, methods=_GET)
    routes.add_url_rule(f"{CONSENTS}/<uuid:consent>/revoke", view_func=pages.revoke, methods=_POST)
    routes.add_url_rule(f"{CONSENTS}/funds/<uuid:consent>/revoke", view_func=pages.revoke_funds, methods=_POST)


def _address(name: str) -> str:
    """Return the path of one of the shared files: it names the content, and lies below the bank's own path."""
    return f"/psu{look.address(name)}"


def _look(name: str) -> Response:
    """Serve what all our pages share, under the bank's own path."""
    answer = send_from_directory(look.FOLDER, name if name in look.FILES else "missing")
    answer.headers["Cache-Control"] = look.cache_control(name, request.args.get("v"))
    return answer

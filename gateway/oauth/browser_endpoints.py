"""What browsers and discovery come to, by the front: `/authorize`, the way back from the bank, metadata."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, request, send_from_directory

from gateway.oauth.answers import see_other
from gateway.oauth.arrival import Listener, require_listener
from gateway.oauth.authorization import RESUME_PATH
from gateway.oauth.authorization_request import KNOWN_PARAMETERS
from gateway.oauth.metadata import AUTHORIZE_PATH, METADATA_PATH, server_metadata
from gateway.oauth.parameters import Parameters, parse_parameters
from gateway.oauth.refusals import OAuthRefused, PageRefused, invalid_request
from gateway.oauth.security_headers import add_browser_headers

if TYPE_CHECKING:
    from gateway.oauth.authorization import Authorization

# `__Host-`: set by this origin itself over TLS, for all of it, and by no subdomain (RFC 6265bis §4.1.3.2).
COOKIE: Final = "__Host-authorization"
STYLE_PATH: Final = f"{AUTHORIZE_PATH}/style.css"
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_QUERY: Final = 8_000  # characters; longer ones are taken as they came
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_STATIC: Final = Path(__file__).parent / "static"
_METADATA_CACHE_SECONDS: Final = 300
_STYLE_CACHE_SECONDS: Final = 3600


def browser_blueprint(*, authorization: Authorization, issuer: str, edge_url: str, cookie_seconds: int) -> Blueprint:
    """Return the endpoints of the front."""
    front = Blueprint("front", __name__, static_folder=None)
    metadata = server_metadata(issuer=issuer, edge_url=edge_url)

    @front.before_request
    def come_by_the_front() -> None:
        require_listener(Listener.FRONT, request.environ)

    front.after_request(add_browser_headers)

    @front.route(AUTHORIZE_PATH, methods=["GET", "POST"], provide_automatic_options=False)
    def authorize() -> Response:
        _refuse_head()
        parameters = _parameters()
        if _comes_without_cookies() and len(asked := urlencode(parameters.values)) <= _MOST_QUERY and not parameters.repeated:
            return see_other(f"{AUTHORIZE_PATH}?{asked}")
        wish = authorization.validate(parameters)
        visit = authorization.visit(wish, browser=_browser())
        response = see_other(visit.url)
        response.set_cookie(COOKIE, visit.browser, max_age=cookie_seconds, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    @front.get(f"{RESUME_PATH}/<one_time_id>", provide_automatic_options=False)
    def resume(one_time_id: str) -> Response:
        _refuse_head()
        return see_other(authorization.finish(one_time_id, browser=_browser()))

    @front.get(METADATA_PATH, provide_automatic_options=False)
    def discovery() -> Response:
        response = jsonify(metadata)
        response.cache_control.max_age = _METADATA_CACHE_SECONDS
        return response

    @front.get(STYLE_PATH, provide_automatic_options=False)
    def style() -> Response:
        return send_from_directory(_STATIC, "style.css", max_age=_STYLE_CACHE_SECONDS)

    return front


def _refuse_head() -> None:
    # Flask lets HEAD in with GET, but these have effects: a link preview must not begin or use up an authorization.
    if request.method == "HEAD":
        abort(405)


def _browser() -> str | None:
    secret = request.cookies.get(COOKIE)
    return secret if secret is not None and _SECRET.fullmatch(secret) else None


def _comes_without_cookies() -> bool:
    """Whether another site's page has posted: SameSite=Lax keeps our cookie back, but not from the GET that we redirect to.

    Another cookie in its place would end what this browser has begun in other tabs.
    """
    return request.method == "POST" and "Origin" in request.headers and _browser() is None


def _parameters() -> Parameters:
    """Read the parameters from the query of a GET or the form of a POST, never both; raises `PageRefused`."""
    try:
        if request.method == "GET":
            return parse_parameters(request.query_string, known=KNOWN_PARAMETERS)
        if request.query_string or request.mimetype != _FORM:
            raise invalid_request("parameters", f"belong into the body of a POST, as {_FORM}")
        return parse_parameters(request.get_data(cache=False), known=KNOWN_PARAMETERS)
    except OAuthRefused as refused:
        # No parameter is sure yet, so there is no address to send the browser to.
        raise PageRefused(refused.refusal) from refused

"""Every refusal of the portal, turned into HTTP in this one place: problem details for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

from chassis.logs import get_logger
from chassis.peers import PeerUnavailable
from chassis.problems import CONTENT_TYPE, problem
from chassis.serving.turnstile import TooBusy
from chassis.sql.database import first_line, is_unavailability
from sandbox.answers import PeerRefused
from sandbox.ca.errors import (
    CertificateAuthorityError,
    HierarchyBusy,
    HierarchyDamaged,
    InvalidProfiles,
    IssuingLimitReached,
    LintFailed,
    NotRevocable,
    TooManyCertificates,
    UnknownAuthority,
    UnknownCertificate,
)
from sandbox.developers.errors import TooManyAttempts
from sandbox.portal.addresses import sign_in_path
from sandbox.portal.bodies import BodyRefused
from sandbox.portal.csrf import CSRFError
from sandbox.portal.visitor import SignInRequired
from sandbox.tpps.errors import (
    AccessDenied,
    RegisterError,
    RegisterFull,
    RegistrationConflict,
    RegistrationInterrupted,
    RegistrationRefused,
    TppBlocked,
    UnknownTpp,
)

if TYPE_CHECKING:
    from flask import Flask

# The first match counts; whatever is not named here is the caller's mistake.
_STATUSES: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (AccessDenied, HTTPStatus.UNAUTHORIZED),
    (TppBlocked, HTTPStatus.FORBIDDEN),
    (UnknownTpp, HTTPStatus.NOT_FOUND),
    (UnknownCertificate, HTTPStatus.NOT_FOUND),
    (UnknownAuthority, HTTPStatus.NOT_FOUND),
    (RegistrationConflict, HTTPStatus.CONFLICT),
    (NotRevocable, HTTPStatus.CONFLICT),
    (TooManyCertificates, HTTPStatus.CONFLICT),
    (IssuingLimitReached, HTTPStatus.TOO_MANY_REQUESTS),
    (TooManyAttempts, HTTPStatus.TOO_MANY_REQUESTS),
    (TooBusy, HTTPStatus.SERVICE_UNAVAILABLE),
    (RegisterFull, HTTPStatus.SERVICE_UNAVAILABLE),
    (RegistrationInterrupted, HTTPStatus.SERVICE_UNAVAILABLE),
    (PeerUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (PeerRefused, HTTPStatus.BAD_GATEWAY),
    (HierarchyBusy, HTTPStatus.SERVICE_UNAVAILABLE),
    (HierarchyDamaged, HTTPStatus.INTERNAL_SERVER_ERROR),
    (InvalidProfiles, HTTPStatus.INTERNAL_SERVER_ERROR),
    (LintFailed, HTTPStatus.INTERNAL_SERVER_ERROR),
    (RegistrationRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BodyRefused, HTTPStatus.BAD_REQUEST),
    (CertificateAuthorityError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RegisterError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


# What a page says of a status: what it means here, and what one can do. Where the refusal has words of its own they go first.
_WORDS: dict[HTTPStatus, tuple[str, str, str]] = {
    HTTPStatus.BAD_REQUEST: ("This can't be read", "The request is not what this page expects.", ""),
    HTTPStatus.FORBIDDEN: ("This is not allowed", "You are signed in, and may still not do this.", ""),
    HTTPStatus.NOT_FOUND: (
        "There is no such page",
        "The address may be mistyped, what stood here may be gone, or it belongs to another organisation.",
        "",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: ("This page can't be called like that", "It was probably meant to be opened by a form.", ""),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("That was too much", "", ""),  # how much is told by the page in question
    HTTPStatus.TOO_MANY_REQUESTS: ("That was too often", "Please try again a little later.", ""),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "The portal failed",
        "This is a defect, not a mistake of yours.",
        "The portal's log tells more, under the request's id.",
    ),
    HTTPStatus.BAD_GATEWAY: (
        "A service behind the portal refused",
        "",
        "Try again. `sandbox status` shows whether all servers are healthy.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "Not available at the moment",
        "",
        "Try again in a few seconds. `sandbox status` shows whether all servers are healthy.",
    ),
}
_FORM_REFUSED = (
    "The form did not come from a page that this browser was shown, or you have signed in or out since, or cookies are off. "
    "Nothing was changed. Go back, reload the page, and send it again."
)


def install_problems(app: Flask) -> None:
    """Make the app answer its refusals here."""
    for kind in (RegisterError, CertificateAuthorityError, PeerUnavailable, PeerRefused, BodyRefused, TooBusy, TooManyAttempts):
        app.register_error_handler(kind, _refused)
    app.register_error_handler(SignInRequired, _to_sign_in)
    app.register_error_handler(CSRFError, _form_refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _to_sign_in(_error: SignInRequired) -> Response:
    path = sign_in_path()
    if request.headers.get("HX-Request"):
        # htmx would put the sign-in page into a corner of this one: it is told to leave instead.
        return Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": path, "Cache-Control": "no-store"})
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path, "Cache-Control": "no-store"})


def _form_refused(_error: Exception) -> Response:
    return _page(HTTPStatus.BAD_REQUEST, title="This form can't be taken", text=_FORM_REFUSED)


def _refused(error: Exception) -> Response:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        get_logger().warning("portal.refused", path=_path_for_the_log(), error=f"{type(error).__name__}: {error}")
    response = _page(status, text=_sentence(_public_text(error))) if _wants_page() else _refused_program(error, status)
    if isinstance(error, TooBusy | TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, IssuingLimitReached):
        response.headers["Retry-After"] = http_date(error.retry_at)
    return response


def _public_text(error: Exception) -> str:
    # Where our servers listen is told to the log, and to nobody else.
    return error.public_text if isinstance(error, PeerUnavailable) else str(error)


def _refused_program(error: Exception, status: HTTPStatus) -> Response:
    extra: dict[str, object] = {}
    if isinstance(error, RegistrationRefused):
        extra["errors"] = [{"field": fault.field, "detail": fault.text} for fault in error.faults]
    response = _problem(status, str(getattr(error, "code", "peer.unavailable")), _public_text(error), **extra)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="registration"'
    return response


def _http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value] # a redirect of the router's own
    status = HTTPStatus(error.code)
    text = _largest() if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ""
    response = (
        _page(status, text=text)
        if _wants_page()
        else _problem(status, f"http.{status.value}", error.description or status.phrase)
    )
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _largest() -> str:
    return f"The form holds more than {(request.max_content_length or 0) // 1024:,} KiB, which is the most that is taken."


def _unexpected(error: Exception) -> Response:
    if is_unavailability(error):
        return _unavailable(error)
    get_logger().error("portal.failed", request=_request_id(), path=_path_for_the_log(), exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if _wants_page():
        g.visitor = None  # the page must not fail on what made this one fail
        return _page(status)
    return _problem(status, "portal.failed", "the portal failed on this request; its log tells more")


def _unavailable(error: Exception) -> Response:
    get_logger().warning("database.unavailable", request=_request_id(), error=first_line(error))
    status, text = HTTPStatus.SERVICE_UNAVAILABLE, "The portal can't reach its database at the moment."
    if _wants_page():
        g.visitor = None  # whose session is in that database
    response = _page(status, text=text) if _wants_page() else _problem(status, "portal.unavailable", text)
    response.headers["Retry-After"] = "1"
    return response


def _wants_page() -> bool:
    return not request.path.startswith(("/api/", "/pki/")) and request.accept_mimetypes.accept_html


def _page(status: HTTPStatus, *, title: str = "", text: str = "") -> Response:
    known_title, known_text, advice = _WORDS.get(status, (status.phrase, status.description, ""))
    body = render_template(
        "problem.html",
        status=status,
        title=title or known_title,
        text=text or known_text,
        advice=advice,
        request_id=_request_id(),
    )
    return Response(body, status, mimetype="text/html")


def _path_for_the_log() -> str:
    # The path of an invitation is a secret: the rule tells as much.
    return request.path if request.blueprint != "invitations" or request.url_rule is None else request.url_rule.rule


def _request_id() -> str | None:
    return request.headers.get("X-Sandbox-Request")


def _sentence(text: str) -> str:
    end = "" if text.endswith((".", "?", "!")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


def _problem(status: HTTPStatus, code: str, detail: str, **extra: object) -> Response:
    response = jsonify(problem(status.value, code, status.phrase, detail, **extra))
    response.status_code = status.value
    response.content_type = CONTENT_TYPE
    return response

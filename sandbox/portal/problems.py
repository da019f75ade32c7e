"""Every refusal of the portal, turned into HTTP in this one place: problem details for programs, a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date

from chassis.logs import get_logger
from chassis.peers import PeerUnavailable
from chassis.problems import CONTENT_TYPE, problem
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
from sandbox.portal.bodies import BodyRefused
from sandbox.portal.turnstile import TooBusy
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


def install_problems(app: Flask) -> None:
    """Make the app answer its refusals here."""
    for kind in (RegisterError, CertificateAuthorityError, PeerUnavailable, PeerRefused, BodyRefused, TooBusy):
        app.register_error_handler(kind, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: Exception) -> Response:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    extra: dict[str, object] = {}
    if isinstance(error, RegistrationRefused):
        extra["errors"] = [{"field": fault.field, "detail": fault.text} for fault in error.faults]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        get_logger().warning("portal.refused", path=request.path, error=f"{type(error).__name__}: {error}")
    response = _problem(status, str(getattr(error, "code", "peer.unavailable")), str(error), **extra)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="registration"'
    if isinstance(error, TooBusy):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, IssuingLimitReached):
        response.headers["Retry-After"] = http_date(error.retry_at)
    return response


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = error.description or status.description
    if _wants_page():
        return Response(render_template("error.html", status=status, detail=detail), status, mimetype="text/html")
    response = _problem(status, f"http.{status.value}", detail)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    get_logger().error("portal.failed", path=request.path, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _problem(status, "portal.failed", "the portal failed on this request; its log tells more")


def _wants_page() -> bool:
    return not request.path.startswith(("/api/", "/pki/")) and request.accept_mimetypes.accept_html


def _problem(status: HTTPStatus, code: str, detail: str, **extra: object) -> Response:
    response = jsonify(problem(status.value, code, status.phrase, detail, **extra))
    response.status_code = status.value
    response.content_type = CONTENT_TYPE
    return response

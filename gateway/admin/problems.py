"""Renders what the control API refuses, as `application/problem+json` (RFC 9457) naming the fields."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from chassis.logs import get_logger
from chassis.problems import CONTENT_TYPE, problem
from chassis.sql.database import first_line, is_unavailability
from gateway.configuration.bodies import field_path
from gateway.configuration.changes import DocumentInUse, NoSuchDocument, PreconditionFailed
from gateway.configuration.model import DocumentRefused, UnknownKind
from gateway.configuration.snapshot import SetRefused
from gateway.explain.desk import ExplainingBusy
from gateway.limits.blocks import NotBlocked
from gateway.oauth.jose.rotation import RotationRefused
from gateway.plans.issuing import NoSuchToken
from gateway.register.model import ClientOfAnotherTpp, ClientRefused, RegisterRefusal
from gateway.trust.model import OutdatedCrl, TrustRefusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

_MOST_DETAILED = 20


class NotFound(Exception):
    """Something that is not in the register."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not registered")


class LogBusy(Exception):
    """Too many look at the request log."""


def handle_errors(app: Flask) -> None:
    """Render every error of the application here."""
    for kind, rendered in _RENDERED.items():
        app.register_error_handler(kind, rendered)


def _refuse_body(error: ValidationError) -> Response:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "body.invalid", [(_field(fault["loc"]), fault["msg"]) for fault in faults])


def _refuse(refusal: RegisterRefusal | TrustRefusal) -> Response:
    conflict = isinstance(refusal, ClientOfAnotherTpp | OutdatedCrl)
    status = HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY
    faults = [(fault.field, fault.reason) for fault in refusal.faults] if isinstance(refusal, ClientRefused) else []
    code = "change.conflict" if conflict else "change.invalid"
    return _refusal(status, code, faults or [(refusal.field, refusal.reason)])


def _not_found(error: NotFound | NoSuchToken | NotBlocked) -> Response:
    return _problem(HTTPStatus.NOT_FOUND, "not_found", str(error))


def _too_early(refused: RotationRefused) -> Response:
    return _problem(HTTPStatus.CONFLICT, "signing_key.too_early", str(refused))


def _busy(_error: LogBusy) -> Response:
    return _later("log.busy", "too many look at the request log: try again in a moment")


def _explaining_busy(_error: ExplainingBusy) -> Response:
    return _later("explain.busy", "another question takes long: try again in a moment")


def _conflict(_error: IntegrityError) -> Response:
    return _problem(HTTPStatus.CONFLICT, "change.conflict", "another change came at the same moment: send yours again")


def _refuse_set(refused: SetRefused) -> Response:
    faults = [{"document": fault.document, "field": fault.field, "problem": fault.problem} for fault in refused.faults]
    detail = "; ".join(f"{fault.document}: {fault.field}: {fault.problem}" for fault in refused.faults[:_MOST_DETAILED])
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "document.invalid", detail, errors=faults)


def _stored_badly(refused: DocumentRefused) -> Response:
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "document.unreadable", f"{refused}: replace or delete it")


def _precondition_failed(error: PreconditionFailed) -> Response:
    answer = _problem(HTTPStatus.PRECONDITION_FAILED, "precondition.failed", str(error), document=error.place)
    if error.etag is not None:
        answer.headers["ETag"] = error.etag
    return answer


def _in_use(error: DocumentInUse) -> Response:
    users = [{"document": user.place, "field": field} for user, field in error.users]
    return _problem(HTTPStatus.CONFLICT, "document.in_use", str(error), used_by=users)


def _no_document(error: NoSuchDocument | UnknownKind) -> Response:
    detail = str(error) if isinstance(error, UnknownKind) else f"there is no {error}"
    return _problem(HTTPStatus.NOT_FOUND, "not_found", detail)


def _http_error(error: HTTPException) -> Response:
    return _problem(HTTPStatus(error.code or 500), f"http.{error.code}", error.description or error.name)


def _fault(error: Exception) -> Response:
    if is_unavailability(error):
        get_logger().warning("database.unavailable", error=first_line(error))
        return _later("unavailable", "the database is out of reach: try again shortly")
    get_logger().exception("admin.fault")
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", "the control API has failed: see its log")


_RENDERED: Mapping[type[Exception], Callable[[Any], Response]] = {
    ValidationError: _refuse_body,
    RegisterRefusal: _refuse,
    TrustRefusal: _refuse,
    NotFound: _not_found,
    NoSuchToken: _not_found,
    NotBlocked: _not_found,
    RotationRefused: _too_early,
    LogBusy: _busy,
    ExplainingBusy: _explaining_busy,
    SetRefused: _refuse_set,
    DocumentRefused: _stored_badly,
    PreconditionFailed: _precondition_failed,
    DocumentInUse: _in_use,
    NoSuchDocument: _no_document,
    UnknownKind: _no_document,
    IntegrityError: _conflict,
    HTTPException: _http_error,
    Exception: _fault,
}


def _later(code: str, detail: str) -> Response:
    answer = _problem(HTTPStatus.SERVICE_UNAVAILABLE, code, detail)
    answer.headers["Retry-After"] = "1"
    return answer


def _field(steps: tuple[int | str, ...]) -> str:
    return field_path(steps) if steps else "body"


def _refusal(status: HTTPStatus, code: str, faults: list[tuple[str, str]]) -> Response:
    detail = "; ".join(f"{field}: {reason}" for field, reason in faults)
    return _problem(status, code, detail, errors=[{"field": field, "problem": reason} for field, reason in faults])


def _problem(status: HTTPStatus, code: str, detail: str, **extra: object) -> Response:
    body = problem(status.value, code, status.phrase, detail, **extra)
    return Response(json.dumps(body), status=status.value, content_type=CONTENT_TYPE)

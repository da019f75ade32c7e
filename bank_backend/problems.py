"""Where refusals become answers: `tppMessages` under /v1 and /v2, problem details elsewhere (BG IG §14.11, RFC 9457).

In sandbox mode each also says why and what helps (docs/architecture.md §3.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from bank_backend.errors import BankError, BankUnavailable, FieldsInvalid, FormatError, ResourceUnknown, ServiceInvalid
from bank_backend.grounds import explanation, tell, told_failure, told_of
from chassis.logs import get_logger
from chassis.problems import CONTENT_TYPE, problem
from chassis.sql.database import first_line, is_unavailability
from psd2.tpp_messages import MessageCode, TppMessage, tpp_messages_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.sansio.response import Response as SansioResponse

    from chassis.told.refusals import ToldRefusal

_BERLIN_GROUP = ("/v1/", "/v2/")
_UNEXPECTED = "the bank failed on this request; its log has the reason under the request id"


def render_problems(app: Flask, *, sandbox_mode: bool) -> None:
    """Make `app` answer every refusal and every failure in the form that the caller's side speaks."""
    problems = _Problems(sandbox_mode=sandbox_mode)
    app.register_error_handler(BankError, problems.refusal)
    app.register_error_handler(HTTPException, problems.http_error)
    app.register_error_handler(Exception, problems.failure)


class _Problems:
    def __init__(self, *, sandbox_mode: bool) -> None:
        self._sandbox_mode = sandbox_mode

    def refusal(self, error: BankError) -> Response:
        return self._refused(error, error.status)

    def _refused(self, error: BankError, status: int) -> Response:
        told = told_of(error)
        details = problem(status, told.reason, error.title, error.text, **_members(error))
        answer = self._answer(status, _messages(error), details, told, links=error.links)
        answer.headers.update(error.headers)
        return answer

    def http_error(self, error: HTTPException) -> Response | SansioResponse:
        """Give Flask's own refusals (no such route, wrong method, body too large) the same form as the bank's."""
        refusal = _of_http(error)
        if refusal is None:
            return error.get_response(request.environ)
        answer = self._refused(refusal, error.code or refusal.status)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return answer

    def failure(self, error: Exception) -> Response:
        if is_unavailability(error):
            return self._unavailable(error)
        get_logger().error(
            "request.failed", request=request.headers.get("X-Sandbox-Request"), path=request.path, exc_info=error
        )
        message, told = TppMessage(MessageCode.INTERNAL_SERVER_ERROR, _UNEXPECTED), told_failure()
        return self._answer(500, [message], problem(500, "internal", "The bank failed", _UNEXPECTED), told)

    def _unavailable(self, error: Exception) -> Response:
        get_logger().warning("database.unavailable", request=request.headers.get("X-Sandbox-Request"), error=first_line(error))
        answer = self.refusal(BankUnavailable())
        answer.headers["Retry-After"] = "1"
        return answer

    def _answer(
        self,
        status: int,
        messages: Sequence[TppMessage],
        details: dict[str, object],
        told: ToldRefusal,
        *,
        links: Mapping[str, object] | None = None,
    ) -> Response:
        berlin_group = request.path.startswith(_BERLIN_GROUP)
        body = tpp_messages_body(*messages) if berlin_group else details
        if berlin_group and links:
            body["_links"] = links
        if self._sandbox_mode:
            body |= explanation(told)
        content_type = "application/json" if berlin_group else CONTENT_TYPE
        answer = Response(orjson.dumps(body), status=status, content_type=content_type)
        # BG IG §4.1: the answer to a request carries its X-Request-ID; an unreadable one is not repeated.
        request_id = request.headers.get("X-Request-ID", "")
        if berlin_group and _is_echoable(request_id):
            answer.headers["X-Request-ID"] = request_id
        tell(answer, told)
        return answer


def _messages(error: BankError) -> list[TppMessage]:
    """Return one message for each thing that is wrong."""
    others = error.others if isinstance(error, FormatError) else ()
    return [TppMessage(each.message_code, each.text, path=each.path) for each in (error, *others)]


def _members(error: BankError) -> dict[str, object]:
    """Return what the problem details say beside the standard's members."""
    members: dict[str, object] = {"path": error.path} if error.path else {}
    if error.refused is not None:
        members["refused"] = error.refused
    if isinstance(error, FieldsInvalid):
        members["fields"] = error.fields
    if isinstance(error, FormatError) and error.others:
        members["errors"] = [{"path": each.path, "detail": each.text} for each in (error, *error.others)]
    return members


def _of_http(error: HTTPException) -> BankError | None:
    if isinstance(error, NotFound):
        return ResourceUnknown(f"there is nothing at {request.path[:100]}")
    if isinstance(error, MethodNotAllowed):
        return ServiceInvalid(f"{request.method} is not offered at {request.path[:100]}")
    if isinstance(error, RequestEntityTooLarge):
        return FormatError("the body is larger than this resource takes")
    if error.code is not None and 400 <= error.code < 500:  # noqa: PLR2004 - the client errors of HTTP
        return FormatError(error.description or error.name)
    return None


def _is_echoable(text: str) -> bool:
    return len(text) == 36 and text.isascii() and text.replace("-", "").isalnum()  # noqa: PLR2004 - a UUID's length

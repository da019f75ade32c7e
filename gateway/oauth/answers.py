"""Renders refusals, in the three ways they travel: JSON (RFC 6749 §5.2), redirect (§4.1.2.1, RFC 9207), page.

In sandbox mode each also says why and what helps (docs/architecture.md §3.7); in every mode the edge is told, for its log.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Response, make_response, redirect, render_template, request

from chassis.logs import get_logger
from chassis.problems import CONTENT_TYPE, problem
from chassis.told.refusals import HEADER, ToldRefusal, refusal_header
from gateway.oauth.arrival import request_id_of
from gateway.oauth.refusals import OAuthRefused, Refused
from gateway.oauth.security_headers import add_browser_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Blueprint, Flask

    from gateway.oauth.authorization_response import Responses
    from gateway.oauth.refusals import RedirectRefused, Refusal

NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Answers:
    """Renders refusals."""

    def __init__(self, *, responses: Responses, sandbox_mode: bool) -> None:
        self._responses = responses
        self._sandbox_mode = sandbox_mode

    def as_json(self, refusal: Refusal) -> Response:
        """Tell a TPP, as OAuth endpoints do."""
        body: dict[str, object] = {"error": refusal.error, "error_description": refusal.description}
        body |= self._explanation(refusal) | _errors(refusal)
        # No challenge in a 401: no scheme is registered for TLS client certificates (docs/divergences.md).
        answer = _told(_json(refusal.status, body, "application/json"), refusal)
        answer.headers.extend(refusal.headers)
        return answer

    def as_problem(self, refusal: Refusal) -> Response:
        """Tell a TPP, as other APIs do."""
        # A redirect's refusal has no status of its own; here it is the fault of a field in a well-formed body.
        status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal.status == HTTPStatus.BAD_REQUEST else HTTPStatus(refusal.status)
        body = problem(status.value, refusal.reason, status.phrase, refusal.description, error=refusal.error)
        body |= self._explanation(refusal) | _errors(refusal)
        return _told(_json(status.value, body, CONTENT_TYPE), refusal)

    def as_redirect(self, refused: RedirectRefused) -> Response:
        """Send the browser to the client with the refusal."""
        refusal = refused.refusal
        answer = {"error": refusal.error, "error_description": refusal.description}
        return _told(see_other(self._responses.url(refused.to, **answer)), refusal)

    def as_page(self, refusal: Refusal) -> Response:
        """Tell the person at the browser, and go nowhere."""
        page = render_template(
            "refusal.html",
            refusal=refusal,
            is_of_app=not refusal.reason.startswith(("authorization.", "upstream.", "page.", "server.")),
            sandbox_mode=self._sandbox_mode,
            request_id=request_id_of(request.environ),
        )
        return _told(add_browser_headers(make_response(page, refusal.status)), refusal)

    def _explanation(self, refusal: Refusal) -> dict[str, str]:
        if not self._sandbox_mode:
            return {}
        return {"reason": refusal.reason, "hint": refusal.hint, "clause": refusal.clause}


def see_other(url: str) -> Response:
    """Redirect by 303: the browser must fetch with GET, and never post a form on (RFC 9700 §4.12)."""
    response = make_response(redirect(url, code=HTTPStatus.SEE_OTHER))
    # A body would only repeat the address, which holds a code.
    response.set_data(b"")
    return add_browser_headers(response)


def answer_refusals(where: Blueprint | Flask, render: Callable[[Refusal], Response]) -> None:
    """Answer what is refused there by `render`, and note it."""

    @where.errorhandler(Refused)
    def refuse(refused: Refused) -> Response:
        log_refusal(refused.refusal, refused)
        return render(refused.refusal)


def log_refusal(refusal: Refusal, error: BaseException) -> None:
    """Note a refusal with its private detail."""
    get_logger().info(
        "oauth.refused",
        error=refusal.error,
        reason=refusal.reason,
        description=refusal.description,
        detail=None if isinstance(error.__cause__, OAuthRefused) else str(error.__cause__ or "") or None,
        path=route_of_request(),
        request=request_id_of(request.environ),
    )


def route_of_request() -> str:
    """Return the route of the present request: unlike its path, it holds no one-time id."""
    return request.url_rule.rule if request.url_rule else "unknown"


def _told(response: Response, refusal: Refusal) -> Response:
    """Tell the edge, which takes the header out again."""
    told = ToldRefusal(
        reason=refusal.reason, text=_sentence(refusal.logged), hint=_sentence(refusal.hint), clause=refusal.clause
    )
    response.headers[HEADER] = refusal_header(told)
    return response


def _sentence(text: str) -> str:
    names_parameter = text.partition(" ")[0].endswith(":")  # whose name is written as it is
    return f"{text[:1] if names_parameter else text[:1].upper()}{text[1:].removesuffix('.')}."


def _errors(refusal: Refusal) -> dict[str, object]:
    return {"errors": list(refusal.errors)} if refusal.errors else {}


def _json(status: int, body: Mapping[str, object], content_type: str) -> Response:
    return Response(json.dumps(body), status=status, content_type=content_type, headers=NO_STORE)

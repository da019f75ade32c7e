"""Everything that can go wrong, as a page that says what happened and what to do; decided in this one place."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import redirect, render_template, url_for
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from chassis.logs import get_logger
from tpp_client.errors import (
    AuthorizationRefused,
    AuthorizationResponseRejected,
    IdentityUnusable,
    Refused,
    TppClientError,
    TransportFailed,
)
from tpp_client.web.pace import TooFast
from tpp_client.web.reading import AwaitsSignature, NotConnected
from tpp_client.web.visitor import AnswerNotTaken

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

    from tpp_client.errors import Refusal

_CERTIFICATE_CODES = ("CERTIFICATE_", "ROLE_INVALID", "invalid_client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A page: what happened, what it means, what to do. `refusal` is what the bank said, where it said something."""

    status: int
    title: str
    text: str
    advice: str = ""
    offers_connect: bool = False
    refusal: Refusal | None = None


_ANSWERS = {
    "unasked": Problem(
        status=HTTPStatus.BAD_REQUEST,
        title="This answer belongs to no question of yours",
        text="The bank's answer arrived in a browser that waits for none: it may have been forged, or begun in another window. "
        "Nothing in it was used.",
        advice="Begin again here, and finish in the same browser.",
        offers_connect=True,
    ),
    "replayed": Problem(
        status=HTTPStatus.BAD_REQUEST,
        title="This answer was taken already",
        text="Each answer of the bank counts once. Reloading its address, or going back to it, changes nothing.",
        advice="Your accounts and payments are as they were.",
    ),
    "late": Problem(
        status=HTTPStatus.BAD_REQUEST,
        title="The bank's answer came too late",
        text="More than a quarter of an hour has passed since you left for the bank. Nothing in the answer was used.",
        advice="Begin again: it takes a minute.",
        offers_connect=True,
    ),
}
_FORM_EXPIRED = Problem(
    status=HTTPStatus.BAD_REQUEST,
    title="This form can't be taken",
    text="It was not made for this browser, or it has been open for too long. Nothing was sent to the bank.",
    advice="Go back, reload the page, and send it again. Cookies must be allowed for this site.",
)
_TOO_FAST = Problem(
    status=HTTPStatus.TOO_MANY_REQUESTS,
    title="Slower, please",
    text="From your address came more requests in this minute than this demo answers.",
    advice="Wait a minute, then go on.",
)
_BROKEN = Problem(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    title="Something went wrong here",
    text="It is our fault, not yours, and it has been written down.",
    advice="Try again. If you were paying, look at your payments first.",
)


def install_problems(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(NotConnected, _to_start)
    app.register_error_handler(AwaitsSignature, _to_connection)
    app.register_error_handler(AnswerNotTaken, lambda error: _page(_ANSWERS[error.kind]))
    app.register_error_handler(TppClientError, lambda error: _page(problem_of(error)))
    app.register_error_handler(TooFast, lambda _error: (*_page(_TOO_FAST), {"Retry-After": str(TooFast.retry_after_seconds)}))
    app.register_error_handler(CSRFError, lambda _error: _page(_FORM_EXPIRED))
    app.register_error_handler(HTTPException, _http_page)
    app.register_error_handler(Exception, _broken)


def problem_of(error: TppClientError) -> Problem:
    """Return the page of what went wrong between this TPP and the bank."""
    if isinstance(error, AuthorizationRefused):
        return _said_no(error)
    if isinstance(error, Refused):
        return _refused(error.refusal)
    if isinstance(error, AuthorizationResponseRejected):
        return Problem(
            status=HTTPStatus.BAD_REQUEST,
            title="This answer can't be trusted",
            text=f"Nothing in it was used: {error}.",
            advice="Begin again.",
            offers_connect=True,
        )
    return _out_of_order(error)


def _said_no(error: AuthorizationRefused) -> Problem:
    if error.error == "access_denied":
        return Problem(
            status=HTTPStatus.OK,
            title="You said no at the bank",
            text="The bank has told us that you did not approve, or that it could not confirm it was you. "
            "We have got nothing, and nothing was paid.",
            advice="If you have changed your mind, begin again.",
            offers_connect=True,
        )
    return Problem(
        status=HTTPStatus.BAD_GATEWAY,
        title="The bank could not finish",
        text=f"It answered: {error}.",
        advice="Begin again.",
        offers_connect=True,
    )


def _refused(refusal: Refusal) -> Problem:
    if refusal.code.startswith(_CERTIFICATE_CODES):
        return Problem(
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            title="The bank does not let this app in",
            text="Its certificate is not accepted at the moment. That has nothing to do with you or your accounts.",
            advice="The operator of this app has to renew the certificate; your connection stays until then.",
            refusal=refusal,
        )
    return Problem(
        status=HTTPStatus.BAD_GATEWAY,
        title="The bank said no",
        text="It refused what this page needed.",
        advice="Try again, or look at what went over the wire below.",
        refusal=refusal,
    )


def _out_of_order(error: TppClientError) -> Problem:
    if isinstance(error, TransportFailed):
        return Problem(
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            title="The bank can't be reached",
            text="It gave no answer. Your connection and your payments are as they were.",
            advice="Try again in a moment.",
        )
    if isinstance(error, IdentityUnusable):
        # The sentence names files and commands of the operator's: it goes to the log, not to whoever asks.
        get_logger().warning("demo.identity_unusable", detail=str(error))
        return Problem(
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            title="This app is not registered at the bank",
            text="It has no certificate, or one that can't be used. That has nothing to do with you or your accounts.",
            advice="The sandbox registers it at each start: whoever runs it finds what went wrong in var/log/demo.jsonl.",
        )
    return Problem(
        status=HTTPStatus.BAD_GATEWAY,
        title="The bank's answer makes no sense to us",
        text=f"{error}.",
        advice="Nothing was changed. Try again.",
    )


def _to_start(_error: NotConnected) -> Response:
    """Lead to the first page, which says why there is no connection any more and offers another."""
    return redirect(url_for("connection.start"), 303)


def _to_connection(_error: AwaitsSignature) -> Response:
    """Lead to what was allowed, where it says whose turn it is."""
    return redirect(url_for("connection.details"), 303)


def _http_page(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error  # a redirect
    title = {404: "There is no such page", 405: "That can't be done here", 413: "That is too much at once"}.get(
        error.code, error.name
    )
    return _page(Problem(status=error.code, title=title, text=str(error.description or "")))


def _broken(error: Exception) -> tuple[str, int]:
    get_logger().error("demo.failed", exc_info=error)
    return _page(_BROKEN)


def _page(problem: Problem) -> tuple[str, int]:
    return render_template("problem.html", problem=problem), problem.status

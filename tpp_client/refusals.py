"""Turns any of the three error bodies into one `Refusal`: tppMessages (BG IG §4.13), OAuth (RFC 6749 §5.2), problem+json."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from psd2.tpp_messages import TppMessage
from tpp_client.documents import Document, document_of
from tpp_client.errors import Refusal, Refused, UnexpectedResponse

if TYPE_CHECKING:
    from tpp_client.wire import HttpResponse

_CHALLENGE_ERROR = re.compile(r'error="(?P<error>[^"]{1,60})"')
_MOST_TEXT = 300


def require_status(response: HttpResponse, *expected: HTTPStatus) -> None:
    """Raise `Refused` for a 4xx or 5xx, `UnexpectedResponse` for any other status that is not expected."""
    if response.status in expected:
        return
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise Refused(refusal_of(response))
    wanted = " or ".join(str(status.value) for status in expected)
    msg = f"{response.request.method} {response.request.url} answered {response.status}, {wanted} was expected"
    raise UnexpectedResponse(msg)


def is_refused_for(response: HttpResponse, path: str) -> bool:
    """Answer whether a bank refuses a request because of this header, parameter or field (BG IG §14.11.1)."""
    is_refused = response.status == HTTPStatus.BAD_REQUEST
    return is_refused and any(message.path == path for message in refusal_of(response).messages)


def refusal_of(response: HttpResponse) -> Refusal:
    """Read what a server says about its refusal; an unreadable body still gives status and a short text."""
    try:
        document = document_of(response)
        return _of_document(response, document)
    except UnexpectedResponse:
        text = response.body[:_MOST_TEXT].decode("utf-8", errors="replace").strip() or "no body"
        return Refusal(status=response.status, code=_challenge_error(response) or "UNREADABLE", text=text)


def _of_document(response: HttpResponse, document: Document) -> Refusal:
    messages = tuple(_message(entry) for entry in document.optional_children("tppMessages"))
    code, text = _first_words(document, messages)
    return Refusal(
        status=response.status,
        code=code or _challenge_error(response) or "UNKNOWN",
        text=text or "no text given",
        messages=messages,
        reason=document.optional_text("reason"),
        hint=document.optional_text("hint"),
        clause=document.optional_text("clause"),
    )


def _first_words(document: Document, messages: tuple[TppMessage, ...]) -> tuple[str | None, str | None]:
    if messages:
        return str(messages[0].code), messages[0].text
    if "error" in document:
        # A problem document may name OAuth's error too, and says why in `detail`.
        return document.text("error"), document.optional_text("error_description") or document.optional_text("detail")
    return document.optional_text("code") or document.optional_text("title"), document.optional_text("detail")


def _message(entry: Document) -> TppMessage:
    return TppMessage(
        code=entry.text("code"),
        text=entry.optional_text("text") or "",
        category=entry.optional_text("category") or "ERROR",
        path=entry.optional_text("path"),
    )


def _challenge_error(response: HttpResponse) -> str | None:
    """Return the `error` of a `WWW-Authenticate: Bearer` challenge (RFC 6750 §3)."""
    match = _CHALLENGE_ERROR.search(response.headers.get("www-authenticate", ""))
    return match["error"] if match else None

"""What can be wrong with a `request_uri`, in words; all are pages, for nothing says yet where the browser may be sent."""

from __future__ import annotations

from typing import Final

from gateway.oauth.refusals import PageRefused, Refusal

_AGAIN: Final = "go back to the app and begin again; the app pushes a new request for each authorization"


def strange_request_uri() -> PageRefused:
    """Return the refusal of a reference that this server never gave: nothing is fetched from anywhere (RFC 9101 §10.4)."""
    return _refused(
        "par.strange",
        "request_uri: is none of this server's",
        hint="push the authorization request to pushed_authorization_request_endpoint and send the request_uri of the answer",
    )


def unknown_request_uri() -> PageRefused:
    """Return the refusal of a reference that names nothing (any more)."""
    return _refused("par.unknown", "request_uri: is not known, or was forgotten after it had expired", hint=_AGAIN)


def foreign_request_uri() -> PageRefused:
    """Return the refusal of a reference that another client was given."""
    return _refused(
        "par.other_client",
        "request_uri: was given to another client than client_id names",
        hint="send the client_id that the request was pushed with",
    )


def answered_request_uri() -> PageRefused:
    """Return the refusal of a reference whose one use is over."""
    return _refused("par.used", "request_uri: was used before, and is good for one authorization", hint=_AGAIN)


def other_browsers_request_uri() -> PageRefused:
    """Return the refusal of a reference that another browser has come with before: its authorization is the only one."""
    return _refused("par.other_browser", "request_uri: was opened in another browser before", hint=_AGAIN)


def request_uri_being_opened() -> PageRefused:
    """Return the refusal of a page that is loaded while its first load has not come to an end."""
    return _refused("par.being_opened", "request_uri: is being opened in another tab", hint="load the page again in a moment")


def expired_request_uri() -> PageRefused:
    """Return the refusal of a reference that came too late."""
    return _refused("par.expired", "request_uri: has expired", hint=_AGAIN)


def _refused(reason: str, description: str, *, hint: str) -> PageRefused:
    return PageRefused(
        Refusal(error="invalid_request_uri", description=description, reason=reason, hint=hint, clause="RFC 9126 §4")
    )

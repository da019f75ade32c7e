"""Who is asking: the developer signed in, and what it may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g, request
from werkzeug.exceptions import NotFound

from sandbox.acting import note_person
from sandbox.developers.model import Origin, Visitor
from sandbox.portal.sessions import session_token
from sandbox.tpps.errors import UnknownTpp

if TYPE_CHECKING:
    from flask import Flask

    from sandbox.developers.service import Developers
    from sandbox.services import Services
    from sandbox.tpps.model import Tpp

_EXTENSION = "sandbox-developers"
_LONGEST_NUMBER = 100


class SignInRequired(Exception):
    """Nobody is signed in in this browser; answered with the way to the sign-in page."""


def install_visitors(app: Flask, developers: Developers) -> None:
    """Make the app recognise its visitors."""
    app.extensions[_EXTENSION] = developers
    # A thread serves one visitor after the other.
    app.teardown_request(lambda _error: note_person(None))


def current_visitor() -> Visitor | None:
    """Return who is signed in, if anybody is; looked up once a request."""
    if "visitor" not in g:
        token = session_token()
        developers = cast("Developers", current_app.extensions[_EXTENSION])
        g.visitor = developers.visitor(token) if token else None
        if g.visitor is not None:
            note_person(g.visitor.developer.email)
    found: Visitor | None = g.visitor
    return found


def visitor() -> Visitor:
    """Return who is signed in; raises `SignInRequired`."""
    found = current_visitor()
    if found is None:
        raise SignInRequired
    return found


def require_operator() -> Visitor:
    """Return the operator who is signed in; for anybody else the page does not exist."""
    found = visitor()
    if not found.developer.is_operator:
        raise NotFound
    return found


def owned_tpp(services: Services, number: str) -> Tpp:
    """Return a TPP of the visitor's own organisation; unknown, another's and malformed ones are all not found."""
    organisation = visitor().organisation.id
    try:
        tpp = services.register.require(number[:_LONGEST_NUMBER])
    except UnknownTpp:
        raise NotFound from None
    # A name finds a TPP too; pages are addressed by number alone.
    if tpp.organisation_id != organisation or str(tpp.authorisation_number) != number:
        raise NotFound
    return tpp


def origin() -> Origin:
    """Return where the request comes from: the address as the edge saw it, the browser as it calls itself."""
    address = request.headers.get("X-Sandbox-Address") or request.remote_addr or "unknown"
    return Origin(address=address, user_agent=request.headers.get("User-Agent", ""))

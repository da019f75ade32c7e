"""What can be wrong with an interaction."""

from __future__ import annotations

from bank_backend.errors import ResourceUnknown, ScaInvalid, ServiceBlocked, StatusInvalid


class InteractionUnknown(ResourceUnknown):
    """There is no such interaction (404)."""

    problem_code = "interaction.unknown"
    title = "The request is unknown"


class InteractionOver(StatusInvalid):
    """The interaction has been decided, has failed or has expired (409): it is decided once."""

    problem_code = "interaction.state"
    title = "The request is closed"


class OutOfStep(StatusInvalid):
    """A page was sent that is not the one the visit is on (409)."""

    problem_code = "interaction.step"
    title = "This page is out of date"


class OtherBrowser(ServiceBlocked):
    """The visit belongs to a browser that has logged in, and this one has not (403)."""

    problem_code = "interaction.session"
    title = "Please use the window you signed in with"


class TooManyLogins(ScaInvalid):
    """Too many wrong passwords in one interaction: it has failed."""

    problem_code = "interaction.login_failures"
    title = "Too many wrong passwords"

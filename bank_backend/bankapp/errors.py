"""What can be wrong in the bank app."""

from __future__ import annotations

from bank_backend.errors import FieldsInvalid, PsuCredentialsInvalid, ResourceUnknown


class NotSignedIn(PsuCredentialsInvalid):
    """Nobody has signed in with this browser, or not for a while (401)."""

    problem_code = "bank_app.session"
    title = "Please sign in"


class BankNotFound(ResourceUnknown):
    """No TPP of this number or name has a bank here (404)."""

    problem_code = "bank_app.bank_unknown"
    title = "There is no such bank"


class RequestChanged(FieldsInvalid):
    """What is asked is no longer what the page has shown (422): it is shown again."""

    problem_code = "bank_app.request_changed"
    title = "The request has changed"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__({"request": "it is no longer what you were shown, and nothing was approved: look at it again"})

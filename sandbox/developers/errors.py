"""What the portal's accounts refuse, as one tree; `code` is stable and dotted, the message is for people."""

from __future__ import annotations

import math


class AccountError(Exception):
    """Anything about accounts that is refused."""

    code = "account.error"


class FieldRefused(AccountError):
    """A field of a form that can't be taken as it is."""

    code = "account.field"

    def __init__(self, field: str, text: str) -> None:
        """Say which, and what would be right."""
        super().__init__(text)
        self.field = field
        self.text = text


class WrongCredentials(AccountError):
    """E-mail address or password is wrong; which of them is told to nobody."""

    code = "account.credentials"

    def __init__(self) -> None:
        """Say the same for an unknown address."""
        super().__init__("E-mail address or password is wrong.")


class AccountDisabled(WrongCredentials):
    """The password is right, and the operator lets nobody in with this account."""

    def __str__(self) -> str:
        """Say so."""
        return "The operator of the sandbox has disabled this account."


class TooManyAttempts(AccountError):
    """The limit of attempts is reached; it is open again at `retry_at` (epoch seconds), whatever happens until then."""

    code = "account.too_many_attempts"

    def __init__(self, what: str, *, retry_at: float, now: float) -> None:
        """Name what there was too much of, and when to come back."""
        self.retry_after_seconds = max(1, math.ceil(retry_at - now))
        minutes = -(-self.retry_after_seconds // 60)
        when = "1 minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"Too many {what}. Try again in {when}.")


class UnknownDeveloper(AccountError):
    """Nobody has this e-mail address."""

    code = "account.unknown"

    def __init__(self, email: str) -> None:
        """Say which; for the operator's command only."""
        super().__init__(f"nobody is signed up as {email}; `sandbox developer list` shows who is")


class UnknownInvitation(AccountError):
    """No invitation with this link is open: mistyped, used, withdrawn or expired, which is all the same to a stranger."""

    code = "account.invitation_unknown"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("This invitation has been used, was withdrawn, or has expired. Ask for a new one.")


class MembershipRefused(AccountError):
    """Joining or leaving would leave something behind that nobody can reach any more."""

    code = "account.membership"

"""What can be wrong with a one-time code, an approval in the bank app or a passkey."""

from __future__ import annotations

from bank_backend.errors import PsuCredentialsInvalid, ResourceUnknown, ScaInvalid, StatusInvalid


class CodeWrong(PsuCredentialsInvalid):
    """Not the right code; some attempts are left."""

    problem_code = "sca.code_wrong"
    title = "The code is wrong"

    def __init__(self, attempts_left: int) -> None:
        """Tell how many attempts are left."""
        tries = "1 attempt" if attempts_left == 1 else f"{attempts_left} attempts"
        super().__init__(f"this is not the right code: {tries} left")
        self.attempts_left = attempts_left


class PasskeyWrong(PsuCredentialsInvalid):
    """What the passkey has signed is not what was asked; some attempts are left."""

    problem_code = "sca.passkey_wrong"
    title = "The passkey did not confirm this"

    def __init__(self, attempts_left: int) -> None:
        """Tell how many attempts are left."""
        super().__init__(f"the passkey has not confirmed exactly this: {attempts_left} left of the attempts")
        self.attempts_left = attempts_left


class CodeAttemptsExhausted(ScaInvalid):
    """The last attempt was wrong: the authorisation has failed."""

    problem_code = "sca.attempts_exhausted"
    title = "Too many wrong codes"


class CodeExpired(ScaInvalid):
    """The challenge is too old, or there is none; a new one can be asked for."""

    problem_code = "sca.code_expired"
    title = "The code has expired"


class TooManyCodes(ScaInvalid):
    """No more challenges for this authorisation."""

    problem_code = "sca.too_many_codes"
    title = "Too many codes were asked for"


class NoCodeTaken(ScaInvalid):
    """A code came, and the chosen method has none: a push or a passkey."""

    problem_code = "sca.no_code_taken"
    title = "The chosen method takes no code"


class StatementChanged(ScaInvalid):
    """What is to be approved is no longer what the PSU was shown (RTS 2018/389 Art. 5 (1)(d))."""

    problem_code = "sca.statement_changed"
    title = "The request has changed"


class PushUnknown(ResourceUnknown):
    """No such request waits for this PSU (404)."""

    problem_code = "sca.push_unknown"
    title = "Nothing like this waits for you"


class PushOver(StatusInvalid):
    """The request has been answered, replaced or has expired (409): it is answered once."""

    problem_code = "sca.push_over"
    title = "This is no longer waiting"


class EnrolmentRefused(StatusInvalid):
    """A method can't be added or taken away like this (409)."""

    problem_code = "sca.enrolment"
    title = "The method can't be changed like this"

"""What can be wrong with a one-time code."""

from __future__ import annotations

from bank_backend.errors import PsuCredentialsInvalid, ScaInvalid


class CodeWrong(PsuCredentialsInvalid):
    """Not the code that was sent; some attempts are left."""

    problem_code = "sca.code_wrong"
    title = "The code is wrong"

    def __init__(self, attempts_left: int) -> None:
        """Tell how many attempts are left."""
        tries = "1 attempt" if attempts_left == 1 else f"{attempts_left} attempts"
        super().__init__(f"this is not the code that was sent: {tries} left")
        self.attempts_left = attempts_left


class CodeAttemptsExhausted(ScaInvalid):
    """The last attempt was wrong: the authorisation has failed."""

    problem_code = "sca.attempts_exhausted"
    title = "Too many wrong codes"


class CodeExpired(ScaInvalid):
    """The code is too old, or none was sent; a new one can be asked for."""

    problem_code = "sca.code_expired"
    title = "The code has expired"


class TooManyCodes(ScaInvalid):
    """No more codes are sent for this interaction."""

    problem_code = "sca.too_many_codes"
    title = "Too many codes were asked for"

"""What a PSU filled in wrongly, by field, in words for the page; and the reading of its forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bank_backend.errors import BankError
from bank_backend.sca.model import CODE_DIGITS

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

_MOST_LOGIN_CHARACTERS, _MOST_PASSWORD_CHARACTERS = 64, 128
_MOST_ANSWER_CHARACTERS = 16_384


class FormFault(Exception):
    """A field of a form that the PSU has to look at again; `field` is the element's id."""

    def __init__(self, text: str, *, field: str) -> None:
        """Say what is wrong, in a sentence."""
        super().__init__(text)
        self.text = text
        self.field = field

    @staticmethod
    def of(error: Exception, *, field: str) -> FormFault:
        """Return the fault that an error is to the person in front of the page."""
        if isinstance(error, FormFault):
            return error
        text = error.text if isinstance(error, BankError) else str(error)
        return FormFault(f"{text[:1].upper()}{text[1:]}.", field=field)


def credentials_of(form: MultiDict[str, str]) -> tuple[str, str]:
    """Return user name and password; raises `FormFault` for what is missing."""
    login, password = form.get("login", "").strip(), form.get("password", "")
    if not login:
        raise FormFault("Enter your user name.", field="login")
    if not password:
        raise FormFault("Enter your password.", field="password")
    return login[:_MOST_LOGIN_CHARACTERS], password[: _MOST_PASSWORD_CHARACTERS + 1]


def code_of(form: MultiDict[str, str]) -> str:
    """Return the code without its spaces; raises `FormFault` for what can't be one, which costs no attempt."""
    code = "".join(form.get("code", "")[:32].split())
    if len(code) != CODE_DIGITS or not (code.isascii() and code.isdecimal()):
        raise FormFault(f"Enter the {CODE_DIGITS} digits of the code.", field="code")
    return code


def passkey_answer_of(form: MultiDict[str, str]) -> dict[str, Any]:
    """Return what the browser's passkey has answered; raises `FormFault` for what is no such answer, which costs no attempt."""
    try:
        answer = json.loads(form.get("answer", "")[:_MOST_ANSWER_CHARACTERS])
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        text = "Your browser has sent no passkey. Try again, or confirm in another way."
        raise FormFault(text, field="code")
    return answer

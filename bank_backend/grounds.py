"""Why the bank has refused, in the words of `grounds.toml`: in the answer's body in sandbox mode, always for the request log.

The log is never told the text of the answer: it quotes what stood in the request, and a record holds nothing of a body.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from bank_backend.errors import SignatureRefused
from chassis.told.refusals import HEADER, ToldRefusal, refusal_header

if TYPE_CHECKING:
    from flask import Response

    from bank_backend.errors import BankError

FAILED: Final = "bank.failed"
NOTIFICATION_ADDRESS: Final = "notification.address"
# The names of fields and headers are words: a made-up one that is no word, an account number perhaps, is not repeated.
_FIELD = re.compile(r"[A-Za-z-]+(?:\[\d{1,4}\]|\.[A-Za-z]+)*")
_MOST_FIELD_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Ground:
    """What helps, and what demands it."""

    hint: str
    clause: str


def _read() -> dict[str, Ground]:
    return {
        reason: Ground(**entry)
        for reason, entry in tomllib.loads((files("bank_backend") / "grounds.toml").read_text("utf-8")).items()
    }


GROUNDS: Final = _read()
_ANY: Final = Ground("The text of the answer says what is wrong.", "BG IG 1.3.8 §14.11")


def told_of(error: BankError) -> ToldRefusal:
    """Return why the bank has refused, as the edge and the log are told it."""
    if isinstance(error, SignatureRefused):
        return error.fault.told
    return _told(error.problem_code, f"{error.title}{_where(error.path)}.")


def told_failure() -> ToldRefusal:
    """Return that the bank itself has failed."""
    return _told(FAILED, "The bank failed on this request.")


def tell_refusal(answer: Response, error: BankError) -> None:
    """Say in `answer`, to the edge alone, why it is a refusal."""
    tell(answer, told_of(error))


def tell_failure(answer: Response) -> None:
    """Say in `answer` that the bank itself has failed."""
    tell(answer, told_failure())


def told_unnotifiable() -> dict[str, str]:
    """Return the header that tells the edge of an address which nothing will be sent to; the answer itself is a success."""
    told = _told(NOTIFICATION_ADDRESS, f"No notification will be sent{_where('TPP-Notification-URI')}.")
    return {HEADER: refusal_header(told)}


def explanation(told: ToldRefusal) -> dict[str, str]:
    """Return what a refusal's body says beside the standard's members (docs/architecture.md §3.7)."""
    return {"reason": told.reason, "hint": told.hint, "clause": told.clause}


def tell(answer: Response, told: ToldRefusal) -> None:
    """Say this in `answer`, to the edge alone."""
    answer.headers[HEADER] = refusal_header(told)


def _told(reason: str, text: str) -> ToldRefusal:
    ground = GROUNDS.get(reason, _ANY)
    return ToldRefusal(reason=reason, text=text, hint=ground.hint, clause=ground.clause)


def _where(path: str | None) -> str:
    if path is None or len(path) > _MOST_FIELD_CHARACTERS or not _FIELD.fullmatch(path):
        return ""
    return f" ({path})"

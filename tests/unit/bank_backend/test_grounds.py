"""What the bank tells the edge of its refusals: each has its hint and clause, and nothing of the request's body."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from flask import Flask

import bank_backend
from bank_backend.errors import BankError, ConsentExpired, FormatError
from bank_backend.faults.injection import REASONS
from bank_backend.grounds import FAILED, GROUNDS, NOTIFICATION_ADDRESS
from bank_backend.problems import render_problems
from chassis.told.refusals import HEADER, ToldRefusal, read_refusal_header

IBAN = "DE89370400440532013000"


def told_of(error: Exception) -> ToldRefusal:
    app = Flask("grounds")
    render_problems(app, sandbox_mode=False)

    @app.get("/v1/x")
    def fail() -> str:
        raise error

    return read_refusal_header(app.test_client().get("/v1/x").headers[HEADER].encode())


def every_refusal(kind: type[BankError] = BankError) -> set[str]:
    codes = {kind.problem_code} if hasattr(kind, "problem_code") else set()
    return codes.union(*(every_refusal(child) for child in kind.__subclasses__()))


def test_every_refusal_of_the_bank_has_its_ground_and_no_ground_is_idle() -> None:
    """A new error class wants its hint and clause."""
    for module in pkgutil.walk_packages(bank_backend.__path__, "bank_backend."):
        if ".migrations" not in module.name and not module.name.endswith(("server", "wsgi")):
            importlib.import_module(module.name)

    assert every_refusal() | {FAILED, NOTIFICATION_ADDRESS, *REASONS.values()} == set(GROUNDS)


def test_a_refusal_is_told_with_its_reason_and_what_helps() -> None:
    """To the edge, beside the answer."""
    told = told_of(ConsentExpired("expired on Monday"))

    assert told.reason == "consent.expired"
    assert told.text == "The consent has expired."
    assert (told.hint, told.clause) == (GROUNDS["consent.expired"].hint, GROUNDS["consent.expired"].clause)


def test_the_field_is_named_and_its_value_is_not() -> None:
    """The text of the answer quotes it; a record must hold nothing of a body."""
    told = told_of(FormatError(f"{IBAN!r} is no IBAN", path="creditorAccount.iban"))

    assert told.text == "The request can't be read (creditorAccount.iban)."
    assert IBAN not in str(told)


@pytest.mark.parametrize("made_up", [IBAN, "access." + IBAN, "x" * 81, "a b", "a\r\nb", ""])
def test_a_field_that_is_no_word_is_not_repeated(made_up: str) -> None:
    """Whoever writes a body chooses its fields' names too."""
    assert told_of(FormatError("unknown field", path=made_up)).text == "The request can't be read."


def test_a_failure_of_the_bank_tells_nothing_of_its_cause() -> None:
    """That it failed, no more."""
    told = told_of(RuntimeError("SELECT secret"))
    assert told.reason == FAILED
    assert "SELECT" not in str(told)

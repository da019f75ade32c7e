"""`sandbox developer`: the first operator, and a password that was forgotten."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.bootstrap import build_services
from sandbox.cli.root import main
from sandbox.config import load_settings
from sandbox.developers.errors import WrongCredentials
from sandbox.developers.model import Origin
from sandbox.developers.service import SignUp

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.developers.service import Developers
    from tests.support.databases import Databases

ANNA, PASSWORD = "anna@acme.example", "correct horse battery"
ORIGIN = Origin(address="192.0.2.7", user_agent="Firefox")


@pytest.fixture
def developers(databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Developers:
    """Make a home with a database in which Anna has signed up."""
    monkeypatch.setenv("SANDBOX_DATABASE_URL", databases.fresh("sandbox"))
    developers = build_services(load_settings(home=tmp_path)).developers
    developers.sign_up(SignUp(email=ANNA, name="Anna Weber", password=PASSWORD, organisation="Acme"), ORIGIN)
    return developers


def run(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ending:
        main(["developer", *arguments, "--home", str(home)])
    captured = capsys.readouterr()
    return int(ending.value.code or 0), captured.out, captured.err


def test_the_first_operator(capsys: pytest.CaptureFixture[str], tmp_path: Path, developers: Developers) -> None:
    """Made and unmade by whoever can write to the database, whatever the capitals."""
    assert run(capsys, tmp_path, "operator", "ANNA@acme.example")[0] == 0
    assert [one.is_operator for one, _ in developers.all()] == [True]

    status, out, _ = run(capsys, tmp_path, "operator", ANNA, "--revoke", "--json")

    assert (status, json.loads(out)) == (0, {"email": ANNA, "is_operator": False})
    assert [one.is_operator for one, _ in developers.all()] == [False]


@pytest.mark.usefixtures("developers")
def test_the_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No hash in it."""
    (listed,) = json.loads(run(capsys, tmp_path, "list", "--json")[1])

    assert listed.pop("created_at")
    assert listed == {"email": ANNA, "name": "Anna Weber", "organisation": "Acme", "is_operator": False}
    assert ANNA in run(capsys, tmp_path, "list")[1]


def test_a_forgotten_password_is_set_from_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, developers: Developers
) -> None:
    """It never stands on a command line, where others could read it; sessions of before end."""
    token = developers.sign_in(ANNA, PASSWORD, ORIGIN).token
    monkeypatch.setattr("sys.stdin", io.StringIO("another good password\n"))

    status, out, _ = run(capsys, tmp_path, "password", ANNA, "--json")

    assert (status, json.loads(out)) == (0, {"email": ANNA, "sessions_ended": 1})
    assert developers.visitor(token) is None
    with pytest.raises(WrongCredentials):
        developers.sign_in(ANNA, PASSWORD, ORIGIN)
    assert developers.sign_in(ANNA, "another good password", ORIGIN)


@pytest.mark.parametrize(
    ("arguments", "typed", "complaint"),
    [
        (("operator", "nobody@acme.example"), "", "nobody is signed up as nobody@acme.example"),
        (("password", "nobody@acme.example"), "another good password\n", "nobody is signed up"),
        (("password", ANNA), "short\n", "at least 12 characters"),
        (("password", ANNA), "", "at least 12 characters"),
    ],
)
@pytest.mark.usefixtures("developers")
def test_refusals(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    arguments: Any,
    typed: str,
    complaint: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    status, out, err = run(capsys, tmp_path, *arguments)

    assert (status, out) == (1, "")
    assert complaint in err
    assert "Traceback" not in err

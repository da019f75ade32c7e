"""The command line: what it refuses before anything is touched, and with which status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from chassis.peers import PeerUnavailable
from sandbox.cli.failures import end_with, sentence
from sandbox.cli.root import main
from sandbox.tpps.errors import RegistrationInterrupted

if TYPE_CHECKING:
    from pathlib import Path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    captured = capsys.readouterr()
    return int(ending.value.code or 0), captured.out, captured.err


REGISTER = ("tpp", "register", "acme", "--authorisation-number", "PSDDE-BAFIN-1", "--roles", "AISP")


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with a sentence."""
    status, out, _ = run(capsys, "--help")

    assert status == 0
    for command in (
        "up",
        "down",
        "status",
        "reset",
        "demo",
        "tpp",
        "cert",
        "developer",
        "ledger",
        "personality",
        "data",
        "snapshot",
        "faults",
        "clock",
    ):
        assert f"  {command} " in out


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("nonsense",), 2, "No such command"),
        (("up", "--base-port", "3"), 1, "base port 3 is out of range"),
        (("cert", "revoke"), 2, "name a TPP"),
        (("cert", "revoke", "acme", "--serial", "00"), 2, "name a TPP"),
        (("cert", "issue", "acme", "--fault", "ugly"), 2, "Invalid value"),
        ((*REGISTER, "--redirect-uri", "http://tpp.example/cb"), 1, "redirect_uris.0: use https"),
        ((*REGISTER, "--redirect-uri", "https://tpp.example/cb"), 1, "no platform has been started"),
        (("tpp", "list"), 1, "no platform has been started"),
        (("cert", "list"), 1, "no platform has been started"),
        (("developer", "list"), 1, "no platform has been started"),
        (("developer", "operator"), 2, "Missing argument"),
        (("ledger", "reconcile"), 1, "no platform has been started"),
        (("data", "show"), 2, "Missing option '--tpp'"),
        (("data", "export", "x.json", "--tpp", "acme"), 1, "no platform has been started"),
        (("data", "import", "x.json", "--tpp", "acme"), 2, "does not exist"),
        (("snapshot", "take", "a", "--tpp", "acme"), 1, "no platform has been started"),
        (("faults", "add", "explode", "/v1/accounts", "--tpp", "acme"), 2, "Invalid value"),
        (("clock", "advance", "P1D", "--tpp", "acme"), 1, "no platform has been started"),
        (("personality", "list"), 2, "Missing option '--tpp'"),
        (("personality", "set", "strict", "--tpp", "acme"), 1, "no platform has been started"),
        (("reset", "--yes"), 1, "nothing to remove"),
    ],
)
def test_refusals(  # noqa: PLR0917
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    status: int,
    complaint: str,
) -> None:
    """One sentence on standard error, nothing on standard output, and no file made."""
    monkeypatch.chdir(tmp_path)

    ended, out, err = run(capsys, *arguments)

    assert (ended, out) == (status, "")
    assert complaint in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_status_of_a_home_in_which_nothing_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """3, as service managers have it; the JSON says it as well."""
    status, out, _ = run(capsys, "status", "--json", "--home", str(tmp_path))

    assert status == 3
    assert json.loads(out) == {"home": str(tmp_path), "running": False}


def test_stopping_what_does_not_run_is_no_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Scripts stop things twice."""
    status, out, _ = run(capsys, "down", "--home", str(tmp_path))

    assert (status, out) == (0, f"no platform runs in {tmp_path}\n")


@pytest.mark.parametrize(
    "failure", [PeerUnavailable("bank", "connection refused"), RegistrationInterrupted("bank", "refused", ())]
)
def test_a_service_that_does_not_run_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str], failure: Exception) -> None:
    """3: a script may start the platform and try again."""
    with pytest.raises(SystemExit) as ending:
        end_with(failure)

    assert ending.value.code == 3
    assert "the bank service can't be reached" in capsys.readouterr().err


def test_a_defect_keeps_its_traceback() -> None:
    """What we did not foresee is not made into a sentence."""
    assert sentence(KeyError("x")) is None
    with pytest.raises(KeyError):
        end_with(KeyError("x"))

"""`sandbox clock`, `snapshot`, `faults`, `data`: what they print, what they tell the bank, and how they end."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from psd2.authorisation_number import AuthorisationNumber
from sandbox.cli.root import main
from tests.support.levers import FAULTY, LeversInMemory

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = AuthorisationNumber.parse("PSDDE-BAFIN-100001")


@pytest.fixture
def levers(monkeypatch: pytest.MonkeyPatch) -> LeversInMemory:
    """Lend the bank of the one TPP that there is."""
    levers = LeversInMemory()
    register = SimpleNamespace(require=lambda _name: SimpleNamespace(authorisation_number=NUMBER))
    services = SimpleNamespace(levers=levers, register=register)
    monkeypatch.setattr("sandbox.cli.tenant.services_for", lambda _home: services)
    return levers


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ending:
        main([*arguments, "--tpp", "acme"])
    captured = capsys.readouterr()
    return int(ending.value.code or 0), captured.out, captured.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    status, out, err = run(capsys, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def test_the_clock_is_shown_and_moved(capsys: pytest.CaptureFixture[str], levers: LeversInMemory) -> None:
    """With what was due and has run."""
    assert "shows 2026-11-18" in run(capsys, "clock", "show")[1]
    assert run_json(capsys, "clock", "advance", "P1D")["tasksRun"] == 2
    assert "2 scheduled tasks" in run(capsys, "clock", "set", "2027-01-01T00:00:00Z")[1]
    assert levers.told == [("advance", "P1D"), ("set", "2027-01-01T00:00:00Z")]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("clock", "set", "2020-01-01T00:00:00Z"), "only moves forward"),
        (("clock", "advance", "tomorrow"), "no ISO 8601 duration"),
        (("snapshot", "restore", "never"), "no snapshot 'never'"),
        (("faults", "add", "latency", "/sandbox/v1/data"), "no path of the interface"),
    ],
)
def test_what_the_bank_refuses_ends_with_one(
    capsys: pytest.CaptureFixture[str], levers: LeversInMemory, arguments: tuple[str, ...], complaint: str
) -> None:
    """One sentence on standard error."""
    status, out, err = run(capsys, *arguments)

    assert (status, out, levers.told) == (1, "", [])
    assert complaint in err


def test_a_snapshot_is_taken_listed_restored_and_deleted(capsys: pytest.CaptureFixture[str], levers: LeversInMemory) -> None:
    assert run_json(capsys, "snapshot", "take", "before")["rows"] == 12
    assert "before" in run(capsys, "snapshot", "list")[1]
    assert "4 rows removed" in run(capsys, "snapshot", "restore", "before")[1]
    assert run_json(capsys, "snapshot", "delete", "before") == {"deleted": "before"}
    assert levers.kept == {}


def test_a_fault_is_set_listed_and_cleared(capsys: pytest.CaptureFixture[str], levers: LeversInMemory) -> None:
    """Only what was given goes to the bank."""
    run(capsys, "faults", "add", "error", "/v1/**", "--status", "503", "--calls", "3")

    assert {name: levers.set[0][name] for name in ("kind", "path", "method", "status", "calls")} == {
        "kind": "error",
        "path": "/v1/**",
        "method": "*",
        "status": 503,
        "calls": 3,
    }
    assert "for 3 more calls" in run(capsys, "faults", "list")[1]
    assert run_json(capsys, "faults", "clear") == {"cleared": 1}


def test_people_are_made_by_shape(capsys: pytest.CaptureFixture[str], levers: LeversInMemory) -> None:
    out = run(capsys, "data", "generate", "--seed", "4", "--country", "PL", "--kinds", "salaried, card")[1]

    assert "ada.byron-4-1" in out
    assert levers.told == [("generate", {"seed": 4, "country": "PL", "kinds": ["salaried", "card"]})]


def test_data_is_reset_and_taken_out(capsys: pytest.CaptureFixture[str], levers: LeversInMemory, tmp_path: Path) -> None:
    """The file is nobody else's to read: it tells passwords of none, but who has what."""
    assert "16 people" in run(capsys, "data", "reset", "--seed", "7")[1]
    run(capsys, "data", "export", str(tmp_path / "data.json"))

    assert levers.told == [("reset", 7)]
    assert json.loads((tmp_path / "data.json").read_bytes()) == {"psus": []}
    assert (tmp_path / "data.json").stat().st_mode & 0o077 == 0


def test_faulty_lines_are_listed_and_end_with_one(
    capsys: pytest.CaptureFixture[str], levers: LeversInMemory, tmp_path: Path
) -> None:
    """File, line, column and what is wrong; a folder of CSV files is sent as an archive."""
    (tmp_path / "data.json").write_bytes(FAULTY)
    status, out, err = run(capsys, "data", "import", str(tmp_path / "data.json"))
    assert status == 1
    assert "transactions  17    amount" in out
    assert "nothing was imported" in err

    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "psus.csv").write_text("psu,name\r\n")
    assert run_json(capsys, "data", "import", str(folder))["transactions"] == 3
    assert levers.told == [("import", "json"), ("import", "csv")]

"""`sandbox personality`: what it prints, and what it tells the bank."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from psd2.authorisation_number import AuthorisationNumber
from sandbox.cli.root import main
from tests.support.personalities import PersonalitiesInMemory

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = AuthorisationNumber.parse("PSDDE-BAFIN-100001")


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> PersonalitiesInMemory:
    """Lend the bank of the one TPP that there is."""
    bank = PersonalitiesInMemory()

    def services_for(_: Path | None) -> SimpleNamespace:
        register = SimpleNamespace(require=lambda _name: SimpleNamespace(authorisation_number=NUMBER))
        return SimpleNamespace(personalities=bank, register=register)

    monkeypatch.setattr("sandbox.cli.personality.services_for", services_for)
    return bank


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ending:
        main(["personality", *arguments, "--tpp", "acme"])
    captured = capsys.readouterr()
    return int(ending.value.code or 0), captured.out, captured.err


def test_the_list_marks_the_banks_own(capsys: pytest.CaptureFixture[str], bank: PersonalitiesInMemory) -> None:
    """With a sentence about each."""
    bank.choose(NUMBER, "strict")
    status, out, _ = run(capsys, "list")

    assert status == 0
    (marked,) = [line for line in out.splitlines() if "→" in line]
    assert "strict" in marked
    assert "Offers all." in out


def test_one_is_shown_in_full(capsys: pytest.CaptureFixture[str], bank: PersonalitiesInMemory) -> None:
    """The bank's own where none is named."""
    assert bank.chosen == {}
    own, strict = run(capsys, "show")[1], run(capsys, "show", "strict")[1]

    assert "requests.token" in own
    assert "required" in own
    lines = {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in strict.splitlines() if line.startswith("s")}
    assert (lines["sca.multilevel"], lines["sca.methods"], lines["services"]) == ("yes", "totp, push", "none")


def test_another_is_set(capsys: pytest.CaptureFixture[str], bank: PersonalitiesInMemory) -> None:
    """And said so."""
    status, out, _ = run(capsys, "set", "strict", "--json")

    assert (status, json.loads(out)) == (0, {"tpp": "acme", "personality": "strict"})
    assert bank.chosen == {str(NUMBER): "strict"}


@pytest.mark.parametrize("command", ["show", "set"])
def test_one_that_there_is_not_is_refused(
    capsys: pytest.CaptureFixture[str], bank: PersonalitiesInMemory, command: str
) -> None:
    """With those that there are, and nothing changes."""
    status, out, err = run(capsys, command, "nobody")

    assert (status, out) == (1, "")
    assert "standard, strict" in err
    assert bank.chosen == {}

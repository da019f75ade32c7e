"""What a refusal tells a developer to run can be run, and whoever has the portal alone is told where to click."""

from __future__ import annotations

import re

import click
import pytest

from bank_backend.grounds import GROUNDS as GROUNDS_OF_THE_BANK
from gateway.admission.grounds import GROUNDS
from sandbox.cli.root import cli

_COMMAND = re.compile(r"\bsandbox ((?:cert|tpp) [a-z]+|up|down|status|reset|demo)\b")
_HINTS = {reason: ground.hint for table in (GROUNDS, GROUNDS_OF_THE_BANK) for reason, ground in table.items()}
_WITH_COMMANDS = {reason: hint for reason, hint in _HINTS.items() if _COMMAND.search(hint)}


@pytest.mark.parametrize("reason", _WITH_COMMANDS)
def test_commands_in_hints_exist(reason: str) -> None:
    """A hint that names a command that is not there costs more trust than no hint."""
    for words in _COMMAND.findall(_WITH_COMMANDS[reason]):
        command: click.Command | None = cli
        for word in words.split():
            if isinstance(command, click.Group):
                command = command.get_command(click.Context(command), word)
        assert command is not None, f"sandbox {words}"


@pytest.mark.parametrize("reason", _WITH_COMMANDS)
def test_a_hint_with_a_command_says_where_to_click_too(reason: str) -> None:
    """Many read it in the portal, and have no terminal on the sandbox's machine."""
    hint = _WITH_COMMANDS[reason]
    beside = re.findall(r"\(portal: [A-Z][^;()]+; terminal: sandbox [^()]+\)", hint)
    assert len(beside) == len(_COMMAND.findall(hint)), hint

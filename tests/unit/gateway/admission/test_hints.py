"""What a refusal tells a developer to run can be run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from gateway.admission.grounds import GROUNDS
from sandbox.cli.root import cli

if TYPE_CHECKING:
    from gateway.admission.grounds import Ground

_COMMAND = re.compile(r"\bsandbox ((?:cert|tpp) [a-z]+|up|down|status|reset|demo)\b")


@pytest.mark.parametrize(
    "ground", [each for each in GROUNDS.values() if _COMMAND.search(each.hint)], ids=lambda each: each.reason
)
def test_commands_in_hints_exist(ground: Ground) -> None:
    """A hint that names a command that is not there costs more trust than no hint."""
    for words in _COMMAND.findall(ground.hint):
        command: click.Command | None = cli
        for word in words.split():
            if isinstance(command, click.Group):
                command = command.get_command(click.Context(command), word)
        assert command is not None, f"sandbox {words}"

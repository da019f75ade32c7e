"""The command's root: which module holds which command, and how a failure ends."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

import click

_COMMANDS = {
    "up": "sandbox.cli.lifecycle",
    "down": "sandbox.cli.down",
    "status": "sandbox.cli.lifecycle",
    "reset": "sandbox.cli.lifecycle",
    "init": "sandbox.cli.init",
    "demo": "sandbox.cli.demo",
    "tpp": "sandbox.cli.tpp",
    "cert": "sandbox.cli.cert",
    "developer": "sandbox.cli.developer",
    "data": "sandbox.cli.data",
    "snapshot": "sandbox.cli.snapshot",
    "faults": "sandbox.cli.faults",
    "clock": "sandbox.cli.clock",
    "ledger": "sandbox.cli.ledger",
    "personality": "sandbox.cli.personality",
}
_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of the table above."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return one command, or None."""
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), cmd_name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Run a PSD2 open-banking sandbox: its servers, its certificate authority, its register of TPPs.

    Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 a service that is needed does not run.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command and end the process with its status."""
    try:
        result = cli.main(args=arguments, prog_name="sandbox", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("aborted", err=True)
        sys.exit(_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - known failures are told in a sentence, unknown ones raise on
        from sandbox.cli.failures import end_with

        end_with(error)
    sys.exit(result if isinstance(result, int) else 0)

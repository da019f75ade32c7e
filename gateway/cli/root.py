"""The command's root: its commands, and how a failure ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from chassis.addresses import InvalidAddress
from chassis.peers import PeerUnavailable
from chassis.settings import SettingsRefused
from gateway.cli.audit import audit
from gateway.cli.certificates import certificate
from gateway.cli.changing import apply, delete, diff, rollback
from gateway.cli.control_api import Refused
from gateway.cli.printing import say
from gateway.cli.reading import describe, get, history
from gateway.cli.signing_keys import key
from gateway.cli.statuses import REFUSED, UNREACHABLE
from gateway.cli.subscribers import token
from gateway.configuration.files import FileRefused
from gateway.configuration.model import DocumentRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.cli.control_api import Session

_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Read and change the gateway's configuration, and read the audit of who changed what.

    Exit status: 0 done or nothing to do, 1 something differs, 2 refused or wrong usage, 3 the gateway can't be reached.
    """


for command in (get, describe, apply, diff, delete, history, rollback, token, audit, key, certificate):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and end the process with its status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None, *, session: Session | None = None) -> int:
    """Run the command; returns its exit status. `session` carries requests in the place of one to the home's gateway."""
    try:
        result = cli.main(
            args=list(arguments) if arguments is not None else None, prog_name="gateway", standalone_mode=False, obj=session
        )
    except click.ClickException as error:
        error.show()
        return REFUSED
    except (click.Abort, KeyboardInterrupt):
        say("aborted", err=True)
        return _INTERRUPTED
    except PeerUnavailable as error:
        say(f"gateway: {error}. Does the platform run, and is this its --home?", err=True)
        return UNREACHABLE
    except (Refused, FileRefused, DocumentRefused, SettingsRefused, InvalidAddress) as error:
        for line in str(error).splitlines():
            say(f"gateway: {line}", err=True)
        return REFUSED
    return result if isinstance(result, int) else 0

"""`sandbox ledger reconcile`: whether the bank's books are right, asked of the bank's own command."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import click

from sandbox.cli.options import home_option, json_option, started_settings
from sandbox.config import service_environment
from sandbox.platform.child import python

if TYPE_CHECKING:
    from pathlib import Path

# The bank's books of a year are looked through in seconds; a database that answers nobody is not waited for.
_MOST_SECONDS: Final = 600


@click.group()
def ledger() -> None:
    """Look at the bank's books."""


@ledger.command()
@json_option
@home_option
def reconcile(*, as_json: bool, home: Path | None) -> int:
    """Check the books of all tenants, whether or not the platform runs: exit status 1 where something is wrong.

    Every entry sums to zero in each currency, balances and numbers follow without gap, no account is below its limit, holds
    ended once, exchanges and fees are consistent, and payments and entries belong together.
    """
    command = python("bank_backend.ledger.reconcile", *(["--json"] if as_json else []))
    ended = subprocess.run(  # noqa: S603 - the command is ours
        command, env=service_environment(started_settings(home)), check=False, timeout=_MOST_SECONDS
    )
    return ended.returncode

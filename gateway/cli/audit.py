"""`gateway audit`: who changed what, and whether the record of it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import with_gateway
from gateway.cli.printing import difference_line, print_json, say
from gateway.cli.statuses import DIFFERS

if TYPE_CHECKING:
    from gateway.cli.control_api import ControlApi


@click.group()
def audit() -> None:
    """Read and verify the audit of administrators."""


@audit.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, help="How many records at most.")
@click.option("--before", type=click.IntRange(1), help="Only those before the record of this number.")
@with_gateway
def list_records(api: ControlApi, *, limit: int, before: int | None, as_json: bool) -> None:
    """List what administrators did, newest first."""
    page = api.get("/audit", limit=limit, before=before)
    if as_json:
        print_json(page)
        return
    for record in page["records"]:
        who = f"{record['on_behalf_of']} by {record['actor']}" if record["on_behalf_of"] else record["actor"]
        say(f"{record['number']}  {record['at']}  {who}: {record['action']} {record['object_kind']}/{record['object_name']}")
        for entry in record["difference"]:
            say(f"    {difference_line(entry)}")


@audit.command()
@click.option("--head", help="What an earlier run printed: the records up to it must still be there, unchanged.")
@with_gateway
def verify(api: ControlApi, *, head: str | None, as_json: bool) -> int:
    """Verify that no record was removed, changed or put in another order; exit status 1 where one was.

    Note the head that it prints somewhere else: given back by --head, it also tells whether the newest records were cut off.
    """
    verdict = api.get("/audit/verification", head=head)
    if as_json:
        print_json(verdict)
    elif verdict["intact"]:
        before = f" behind {verdict['pruned']} that were pruned" if verdict["pruned"] else ""
        say(f"intact: {verdict['records']} records{before}; head {verdict['head']}")
    else:
        say(f"tampered with: {verdict['complaint']}")
    return 0 if verdict["intact"] else DIFFERS

"""`gateway certificate`: how far those have come that are ordered by ACME, and what ends soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gateway.cli.options import with_gateway
from gateway.cli.printing import print_json, print_table, say
from gateway.cli.statuses import DIFFERS

if TYPE_CHECKING:
    from gateway.cli.control_api import ControlApi


@click.group()
def certificate() -> None:
    """Tell how far certificates have come that are ordered by ACME, and what ends soon."""


@certificate.command()
@with_gateway
def orders(api: ControlApi, *, as_json: bool) -> int:
    """List what is ordered, with the reason and the next try where an order has failed; exit status 1 where one has."""
    listed = api.get("/acme")["certificates"]
    if as_json:
        print_json(listed)
    else:
        rows = [[each["name"], each["state"], each["not_after"] or "-", each["renews_at"] or "-"] for each in listed]
        print_table(["name", "state", "valid until", "renewed from"], rows)
    failing = [each for each in listed if each["failure"] is not None]
    if not as_json:
        for each in failing:
            say(f"{each['name']}: {each['failure']} (failed {each['failures']} times, next try {each['next_try_at'] or 'now'})")
    return DIFFERS if failing else 0


@certificate.command("try")
@click.argument("name")
@with_gateway
def try_(api: ControlApi, *, name: str, as_json: bool) -> None:
    """Try the order of NAME again within seconds, whenever its next try would be."""
    done = api.change("POST", f"/acme/{name}/try")
    if as_json:
        print_json(done)
    else:
        say(f"{name}: is tried within seconds; gateway certificate orders tells what comes of it")


@certificate.command()
@click.option("--days", type=click.IntRange(0, 3_650), default=30, show_default=True, help="How far to look ahead.")
@with_gateway
def expiring(api: ControlApi, *, days: int, as_json: bool) -> None:
    """List what ends soon, of all that the gateway presents or trusts, the first to end first."""
    listed = api.get("/certificates/expiring", days=days)["certificates"]
    if as_json:
        print_json(listed)
        return
    told = {True: "yes", False: "no"}
    rows = [[str(each["days_left"]), each["place"], told[each["renews_itself"]], each["subject"]] for each in listed]
    print_table(["days left", "place", "renews itself", "subject"], rows)

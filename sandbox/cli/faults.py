"""`sandbox faults add | list | clear`: what a TPP's bank is to do wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.options import home_option, json_option
from sandbox.cli.tenant import bank_of, tpp_option
from sandbox.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = ("latency", "error", "drop-answer", "reject-payment")
_METHODS = ("*", "GET", "POST", "PUT", "DELETE")


@click.group()
def faults() -> None:
    """Have a TPP's bank answer late, with errors or not at all, or reject payments."""


@faults.command()
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("path")
@click.option("--method", type=click.Choice(_METHODS), default="*", show_default=True)
@click.option("--calls", type=int, help="For so many matching calls. Default: until it is cleared.")
@click.option("--rate", type=float, help="How many of them it strikes: 0.3 is three of ten. Default: all.")
@click.option("--milliseconds", type=int, help="latency, drop-answer: how long the answer is held back.")
@click.option("--status", type=int, help="error: the HTTP status.")
@click.option("--code", help="error: the code in tppMessages. Default: what usually goes with the status.")
@click.option("--reason", help="reject-payment: ISO 20022 status reason, such as AC04 or AM04.")
@click.option("--text", help="error, reject-payment: the text.")
@tpp_option
@json_option
@home_option
def add(*, tpp_name: str, as_json: bool, home: Path | None, **given: Any) -> None:  # noqa: ANN401 - click hands over what the bank checks
    """Set a fault of KIND on calls to PATH, such as /v1/accounts/{account-id}/balances or /v1/payments/**."""
    levers, number = bank_of(home, tpp_name)
    fault = levers.set_fault(number, {name: value for name, value in given.items() if value is not None})
    if as_json:
        print_json(fault)
    else:
        click.echo(f"{fault['kind']} is set on {fault['method']} {fault['path']}, {_until(fault)}: {fault['id']}")


@faults.command("list")
@tpp_option
@json_option
@home_option
def list_(*, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """List the faults that are set, spent ones among them."""
    levers, number = bank_of(home, tpp_name)
    found = levers.faults(number)
    if as_json:
        print_json(found)
        return
    rows = [(one["id"], one["kind"], f"{one['method']} {one['path']}", _until(one), str(one["struck"])) for one in found]
    print_table("", ("id", "kind", "calls", "until", "struck"), rows)


@faults.command()
@click.argument("fault_id", metavar="[ID]", required=False)
@tpp_option
@json_option
@home_option
def clear(*, fault_id: str | None, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Clear one fault, or all."""
    levers, number = bank_of(home, tpp_name)
    cleared = levers.clear_faults(number, fault_id)
    if as_json:
        print_json({"cleared": cleared})
    else:
        click.echo(f"faults cleared: {cleared}")


def _until(fault: dict[str, Any]) -> str:
    left = fault["callsLeft"]
    return "until it is cleared" if left is None else f"for {left} more calls" if left else "spent"

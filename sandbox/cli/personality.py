"""`sandbox personality list | show | set`: make a TPP's bank answer like another one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psd2.authorisation_number import AuthorisationNumber
    from sandbox.tenants.personalities import Choice, Personalities, Personality

_tpp_option = click.option("--tpp", "tpp_name", required=True, metavar="NAME", help="The TPP whose bank it is.")


@click.group()
def personality() -> None:
    """See and change how a TPP's bank answers: approaches, products, headers, signatures, tokens."""


@personality.command("list")
@_tpp_option
@json_option
@home_option
def list_(*, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """List the personalities that there are; the bank's own is marked."""
    bank, number = _bank_of(home, tpp_name)
    choice = bank.choice(number)
    if as_json:
        print_json({"personality": choice.chosen, "personalities": [asdict(each) for each in choice.offered]})
        return
    rows = [("→" if each.name == choice.chosen else "", each.name, each.description) for each in choice.offered]
    print_table("", ("", "name", "how it answers"), rows)


@personality.command()
@click.argument("name", required=False)
@_tpp_option
@json_option
@home_option
def show(*, name: str | None, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Show a personality in full: NAME, or the one that the bank has."""
    bank, number = _bank_of(home, tpp_name)
    shown = _named(bank.choice(number), name)
    if as_json:
        print_json(asdict(shown))
        return
    print_table(f"{shown.name}: {shown.description}", ("setting", "value"), list(_rows(shown)))


@personality.command("set")
@click.argument("name")
@_tpp_option
@json_option
@home_option
def set_(*, name: str, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Give the bank another personality: it is in force with the next request."""
    bank, number = _bank_of(home, tpp_name)
    choice = bank.choose(number, name)
    if as_json:
        print_json({"tpp": tpp_name, "personality": choice.chosen})
    else:
        click.echo(f"the bank of {tpp_name} answers as {choice.chosen} now")


def _bank_of(home: Path | None, tpp_name: str) -> tuple[Personalities, AuthorisationNumber]:
    services = services_for(home)
    return services.personalities, services.register.require(tpp_name).authorisation_number


def _named(choice: Choice, name: str | None) -> Personality:
    wanted = name or choice.chosen
    found = next((each for each in choice.offered if each.name == wanted), None)
    if found is None:
        offered = ", ".join(each.name for each in choice.offered)
        raise click.ClickException(f"there is no personality {wanted}: there are {offered}")
    return found


def _rows(shown: Personality) -> Iterator[tuple[str, str]]:
    for table, settings in shown.settings.items():
        pairs = settings.items() if isinstance(settings, dict) else [("", settings)]
        for key, value in pairs:
            yield f"{table}.{key}".rstrip("."), _written(value)


def _written(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

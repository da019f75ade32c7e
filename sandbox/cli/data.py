"""`sandbox data show | reset | generate | export | import`: the people and the money of a TPP's bank."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import click
import orjson

from chassis.files import write_private
from sandbox.cli.options import home_option, json_option, services_for
from sandbox.cli.statuses import REFUSED
from sandbox.cli.tenant import bank_of, tpp_option
from sandbox.cli.terminal import print_json, print_table
from sandbox.tenants.levers import LinesRefused

_FILES = ("psus", "accounts", "transactions", "balances")
_format_option = click.option("--format", "wanted", type=click.Choice(["json", "csv"]), default="json", show_default=True)


@click.group()
def data() -> None:
    """Look at the test data of a TPP's bank, make it anew, make more of it, take it out, bring it in."""


@data.command()
@tpp_option
@json_option
@home_option
def show(*, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Show who lives there, with what to log in."""
    services = services_for(home)
    personas = services.tenant_data.personas(services.register.require(tpp_name).authorisation_number)
    if as_json:
        print_json([{"psu": one.psu, "name": one.name, "purpose": one.purpose, "password": one.password} for one in personas])
        return
    rows = [(one.psu, one.password, str(len(one.accounts)), one.purpose) for one in personas]
    print_table("", ("psu", "password", "accounts", "for"), rows)


@data.command()
@click.option("--seed", type=int, help="Tell another story. Default: the tenant's own seed.")
@tpp_option
@json_option
@home_option
def reset(*, seed: int | None, tpp_name: str, as_json: bool, home: Path | None) -> None:
    """Make the bank as if the TPP were registered now: all else in it ends."""
    levers, number = bank_of(home, tpp_name)
    _tell(levers.reset(number, seed), as_json=as_json)


@data.command()
@click.option("--seed", type=int, required=True, help="The same seed and shape make the same people.")
@click.option("--country", help="Whose IBANs and names, such as FR. Default: the tenant's.")
@click.option("--kinds", help="Comma separated: salaried, student, family, merchant, … Default: one of each.")
@click.option("--personas", type=int, help="How many people.")
@click.option("--accounts", type=int, help="At least so many accounts each.")
@click.option("--transactions", type=int, help="About so many each.")
@click.option("--months", type=int, help="So many months back. Default: 13.")
@tpp_option
@json_option
@home_option
def generate(*, tpp_name: str, as_json: bool, home: Path | None, **given: Any) -> None:  # noqa: ANN401 - click hands over what the bank checks
    """Add people of a shape to those there are."""
    levers, number = bank_of(home, tpp_name)
    shape = {name: value for name, value in given.items() if value is not None}
    if "kinds" in shape:
        shape["kinds"] = [kind.strip() for kind in shape["kinds"].split(",")]
    made = levers.generate(number, shape)
    if as_json:
        print_json(made)
        return
    rows = [(one["psu"], one["name"], one["password"], str(len(one["accounts"]))) for one in made["personas"]]
    print_table(f"{made['transactions']} transactions", ("psu", "name", "password", "accounts"), rows)


@data.command()
@click.argument("output", type=click.Path(path_type=Path))
@_format_option
@tpp_option
@home_option
def export(*, output: Path, wanted: str, tpp_name: str, home: Path | None) -> None:
    """Write people, accounts, transactions and balances to OUTPUT: a JSON file, or a folder of CSV files."""
    levers, number = bank_of(home, tpp_name)
    content = levers.export(number, wanted)
    if wanted == "json":
        write_private(output, content)
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in _FILES:
                write_private(output / f"{name}.csv", archive.read(f"{name}.csv"))
    click.echo(f"written to {output}")


@data.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@tpp_option
@json_option
@home_option
def import_(*, source: Path, tpp_name: str, as_json: bool, home: Path | None) -> int:
    """Put what SOURCE holds in the place of everything: a JSON file, a folder of CSV files, or a ZIP archive of them.

    All of it or nothing: each faulty line is named, and then nothing has changed (exit status 1).
    """
    levers, number = bank_of(home, tpp_name)
    content, wanted = _read(source)
    try:
        _tell(levers.bring_in(number, content, wanted), as_json=as_json)
    except LinesRefused as refused:
        _tell_faults(refused, as_json=as_json)
        return REFUSED
    return 0


def _read(source: Path) -> tuple[bytes, str]:
    if source.is_dir():
        return _zipped(source), "csv"
    content = source.read_bytes()
    return content, "csv" if zipfile.is_zipfile(io.BytesIO(content)) else "json"


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _FILES:
            if (folder / f"{name}.csv").exists():
                archive.write(folder / f"{name}.csv", f"{name}.csv")
    return buffer.getvalue()


def _tell(taken: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(taken)
    else:
        click.echo(f"{taken['psus']} people, {taken['accounts']} accounts, {taken['transactions']} transactions")


def _tell_faults(refused: LinesRefused, *, as_json: bool) -> None:
    names = ("file", "line", "column", "text")
    if as_json:
        lines = [dict(zip(names, line, strict=True)) for line in refused.lines]
        click.echo(orjson.dumps({"count": refused.count, "errors": lines}, option=orjson.OPT_INDENT_2).decode())
        return
    print_table("", names, [tuple(map(str, line)) for line in refused.lines])
    click.echo(f"{refused.count} mistakes, and nothing was imported", err=True)

"""`sandbox cert explain`: the certificate doctor on the command line."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, BinaryIO

import click

from sandbox.cli.options import home_option, json_option
from sandbox.cli.statuses import REFUSED
from sandbox.cli.terminal import print_json
from sandbox.config import load_settings
from sandbox.doctor.documents import examination_document, gateway_says, verdict
from sandbox.doctor.intake import MAX_BYTES
from sandbox.doctor.model import Level, NotExaminable, Outcome, Unchecked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.config import SandboxSettings
    from sandbox.doctor.model import Examination, Field, Finding

_COLOURS = {Level.FAULT: "red", Level.DEPARTURE: "yellow", Level.NOTE: "cyan"}
_WIDTH = 100
_FINDING_INDENT = 11  # past the longest level, `departure`
_LABEL_WIDTH = 10
_COMMAND = re.compile(r"`[^`]*`")
_UNBROKEN = "\u00a0"


@click.command()
@click.argument("file", type=click.File("rb"))
@json_option
@home_option
def explain(*, file: BinaryIO, as_json: bool, home: Path | None) -> int:
    """Explain a certificate: each field, each fault with its clause, and what the gateway would answer.

    FILE is PEM or DER; - reads standard input. The home's authorities and records are looked at where there are any.

    Exit status: 0 the gateway would accept it as a QWAC, or it is a sound QSealC; 1 neither, or no certificate; 2 wrong usage.
    Where no home was looked at, 0 says that nothing in the certificate itself stands against it.
    """
    from sandbox.bootstrap import build_doctor

    settings = load_settings(home=home)
    name = click.format_filename(file.name)
    try:
        examination = build_doctor(settings).examine(file.read(MAX_BYTES + 1))
    except NotExaminable as error:
        raise NotExaminable(f"{name}: {error}") from error
    if as_json:
        print_json({"file": name, **examination_document(examination)})
    else:
        _print(examination, name, settings)
    return REFUSED if examination.outcome is Outcome.REFUSED else 0


def _print(examination: Examination, name: str, settings: SandboxSettings) -> None:
    click.secho(f"{name}: {examination.title}", bold=True)
    click.secho(verdict(examination), fg=_verdict_colour(examination))
    for finding in examination.findings:
        click.echo()
        _print_finding(finding)
    click.echo()
    _print_fields(examination.fields)
    if examination.companions:
        click.echo("\nalso in the file")
        _print_fields(examination.companions)
    _print_unchecked(examination, settings)


def _verdict_colour(examination: Examination) -> str:
    if examination.outcome is Outcome.REFUSED:
        return "red"
    return "yellow" if Unchecked.ISSUER in examination.unchecked else "green"


def _print_finding(finding: Finding) -> None:
    level = click.style(finding.level.value.ljust(_FINDING_INDENT), fg=_COLOURS[finding.level], bold=True)
    click.echo(level + _wrapped(finding.text, _FINDING_INDENT))
    lines = {"right": finding.remedy, "clause": finding.clause, "gateway": gateway_says(finding)}
    for label, text in lines.items():
        if text:
            indent = _FINDING_INDENT + _LABEL_WIDTH
            click.echo(" " * _FINDING_INDENT + click.style(label.ljust(_LABEL_WIDTH), dim=True) + _wrapped(text, indent))


def _print_fields(fields: Iterable[Field]) -> None:
    width = max(len(field.name) for field in fields) + 2
    for field in fields:
        # Values stay on one line each, so that they can be copied.
        lines = [*field.values, *([click.style(_wrapped(field.meaning, width), dim=True)] if field.meaning else [])]
        click.echo(field.name.ljust(width) + ("\n" + " " * width).join(lines))


def _print_unchecked(examination: Examination, settings: SandboxSettings) -> None:
    click.echo("\nnot looked at")
    if {Unchecked.ISSUER, Unchecked.RECORDS} <= set(examination.unchecked):
        click.echo(f"  no sandbox has been started in {settings.home.path}: --home names another folder")
    for each in examination.unchecked:
        click.echo(f"  {each.text}")


def _wrapped(text: str, indent: int) -> str:
    """Wrap at words, but leave a command whole: it is there to be copied."""
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _UNBROKEN), text)
    lines = textwrap.wrap(whole, _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines).replace(_UNBROKEN, " ")

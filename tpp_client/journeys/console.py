"""A journey on a terminal: each step as a line, and under it what went over the wire."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tpp_client.readable import Exchange


def told_address(console: Console) -> Callable[[str], None]:
    """Return what shows a person the address to decide at."""

    def show(url: str) -> None:
        console.print("    Open this address in a browser and decide there; this command waits:")
        console.print(url, soft_wrap=True)

    return show


class ConsoleNarrator:
    """Prints as it is told."""

    def __init__(self, console: Console) -> None:
        """Print to `console`; where that is no terminal, without colours."""
        self._console = console
        self._steps = 0

    def begin(self, title: str) -> None:
        """Begin a journey: a line across the page, and steps counted from one."""
        self._steps = 0
        self._console.rule(Text(title, style="bold"), align="left")

    def end(self, failure: str | None) -> None:
        """End a journey."""
        self._print(Text(f"Failed: {failure}\n", style="bold red") if failure else Text("Done\n", style="bold green"))

    def step(self, title: str, clause: str) -> None:
        """Begin a step."""
        self._steps += 1
        line = Text.assemble((f"{self._steps:>2}  ", "bold cyan"), (title, "bold"))
        self._print(line.append(f"   {clause}", "dim") if clause else line)

    def exchange(self, exchange: Exchange) -> None:
        """Show request and answer, a line each; and between them what was signed."""
        self._print(Text.assemble("    → ", (exchange.method, "bold"), f" {exchange.url}", (_fields(exchange.asked), "dim")))
        for name, claims in exchange.signed.items():
            self._print(Text.assemble("      ✎ ", (name, "bold"), f"  {claims}", style="dim"))
        colour = "green" if exchange.status < HTTPStatus.BAD_REQUEST else "red"
        self._print(Text.assemble("    ← ", (str(exchange.status), f"bold {colour}"), _fields(exchange.answered)))

    def fact(self, name: str, value: str) -> None:
        """Show what was learnt."""
        self._print(Text.assemble("    ", ("✓ ", "green"), f"{name}: {value}"))

    def _print(self, line: Text) -> None:
        # Soft wrap: a long address stays one address, to be copied from the terminal.
        self._console.print(line, soft_wrap=True)


def _fields(fields: dict[str, str]) -> str:
    return "".join(f"  {name}={value}" for name, value in fields.items())

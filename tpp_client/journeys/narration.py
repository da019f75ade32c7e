"""Telling a journey as it goes: steps, what went over the wire, what was learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tpp_client.readable import Exchange, exchange_of

if TYPE_CHECKING:
    from tpp_client.wire import HttpRequest, HttpResponse, Transport


class Narrator(Protocol):
    """Is told what happens, in the order it happens."""

    def begin(self, title: str) -> None:
        """Begin a journey."""

    def end(self, failure: str | None) -> None:
        """End a journey: well, or with what went wrong."""

    def step(self, title: str, clause: str) -> None:
        """Begin a step; `clause` is where a specification asks for it."""

    def exchange(self, exchange: Exchange) -> None:
        """Show what went over the wire."""

    def fact(self, name: str, value: str) -> None:
        """Show what was learnt."""


@dataclass(frozen=True, slots=True)
class NarratedTransport:
    """A transport that tells the narrator of every exchange."""

    inner: Transport
    narrator: Narrator

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send, tell, return."""
        response = self.inner.send(request)
        self.narrator.exchange(exchange_of(response))
        return response


@dataclass(slots=True)
class StepRecord:
    """One step of a recorded journey."""

    title: str
    clause: str
    exchanges: list[Exchange] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        exchanges = [exchange.as_json() for exchange in self.exchanges]
        return {"title": self.title, "clause": self.clause, "exchanges": exchanges, "facts": self.facts}


class Recorder:
    """Keeps what it is told, a chapter for each journey, for `--json` and for tests; says nothing."""

    def __init__(self) -> None:
        """Start with no chapter."""
        self.chapters: list[list[StepRecord]] = []

    @property
    def steps(self) -> list[StepRecord]:
        """The steps of the current chapter; whoever goes without a title gets one too."""
        if not self.chapters:
            self.chapters.append([])
        return self.chapters[-1]

    def begin(self, title: str) -> None:  # noqa: ARG002 - a record has no use for the title
        """Begin a chapter."""
        self.chapters.append([])

    def end(self, failure: str | None) -> None:
        """End a chapter; how it ended is kept by whoever went."""

    def step(self, title: str, clause: str) -> None:
        """Begin a step."""
        self.steps.append(StepRecord(title, clause))

    def exchange(self, exchange: Exchange) -> None:
        """Keep an exchange under the current step."""
        self._current().exchanges.append(exchange)

    def fact(self, name: str, value: str) -> None:
        """Keep a fact under the current step."""
        self._current().facts[name] = value

    def _current(self) -> StepRecord:
        if not self.steps:
            self.step("Before the first step", "")
        return self.steps[-1]

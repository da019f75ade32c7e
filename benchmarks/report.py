"""The report of a run, in Markdown: ratios to nginx of the same run, since machines are shared and noisy."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measurement under load."""

    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    cpu_microseconds: float


@dataclass(frozen=True)
class Handshakes:
    """One measurement of new connections: how many a second, and what each costs its server."""

    per_second: float
    cpu_microseconds: float


@dataclass
class Report:
    """What a run has found, target by target; the first target is the yardstick."""

    conditions: str
    load: dict[str, list[Figure]] = field(default_factory=dict)
    full: dict[str, list[Handshakes]] = field(default_factory=dict)
    resumed: dict[str, list[Handshakes]] = field(default_factory=dict)
    megabytes: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    bank: dict[str, list[Figure]] = field(default_factory=dict)
    bank_ratio: float | None = None
    most_ratio: float = 0.0

    def markdown(self) -> str:
        """Return the report."""
        parts = [
            "# What the edge costs beside its peers",
            f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {self.conditions} Ratios are medians of those within a round.",
            "## Requests over kept connections, a bank that answers at once",
            _load_table(self.load, self.megabytes),
            "## New connections, each with one request",
            _handshake_table(self.full, self.resumed),
        ]
        if self.absent:
            parts += ["Absent here: " + "; ".join(f"{name} ({why})" for name, why in self.absent.items()) + "."]
        if self.bank_ratio is not None:
            verdict = "within" if self.bank_ratio <= self.most_ratio else "**above**"
            parts += [
                "## Accounts of the mock bank",
                _load_table(self.bank, {}),
                (
                    f"Through the gateway a GET of accounts costs **{self.bank_ratio:.2f}** times what it costs behind nginx: "
                    f"{verdict} the {self.most_ratio} that it may."
                ),
            ]
        return "\n\n".join(parts) + "\n"

    def write(self, path: Path) -> None:
        """Write it to `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.markdown())


def _ratio(own: list[Figure], yardstick: list[Figure], name: str) -> float:
    middle: float = statistics.median(getattr(a, name) / getattr(b, name) for a, b in zip(own, yardstick, strict=True))
    return middle


def _load_table(rows: Mapping[str, list[Figure]], megabytes: Mapping[str, float]) -> str:
    yardstick = next(iter(rows.values()))
    lines = [
        "| target | requests/s | to nginx | CPU a request | to nginx | p50 ms | p99 ms | p99 to nginx | MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, figures in rows.items():
        middle = {key: statistics.median(getattr(f, key) for f in figures) for key in Figure.__dataclass_fields__}
        memory = f"{megabytes[name]:.0f}" if name in megabytes else ""
        lines.append(
            f"| {name} | {middle['requests_per_second']:.0f} | {_ratio(figures, yardstick, 'requests_per_second'):.2f} "
            f"| {middle['cpu_microseconds']:.0f} µs | {_ratio(figures, yardstick, 'cpu_microseconds'):.2f} "
            f"| {middle['p50_milliseconds']:.2f} | {middle['p99_milliseconds']:.2f} "
            f"| {_ratio(figures, yardstick, 'p99_milliseconds'):.2f} | {memory} |"
        )
    return "\n".join(lines)


def _handshake_table(full: Mapping[str, list[Handshakes]], resumed: Mapping[str, list[Handshakes]]) -> str:
    lines = [
        "| target | full/s | to nginx | CPU each | nginx's to it | resumed/s | to nginx | CPU each | nginx's to it |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in full:
        cells = [cell for rows in (full, resumed) for cell in _handshake_cells(rows, name)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _handshake_cells(rows: Mapping[str, list[Handshakes]], name: str) -> list[str]:
    own, yardstick = rows[name], next(iter(rows.values()))
    pairs = list(zip(own, yardstick, strict=True))
    return [
        f"{statistics.median(each.per_second for each in own):.0f}",
        f"{statistics.median(a.per_second / b.per_second for a, b in pairs):.2f}",
        f"{statistics.median(each.cpu_microseconds for each in own):.0f} µs",
        f"{statistics.median(b.cpu_microseconds / a.cpu_microseconds for a, b in pairs):.2f}",
    ]

"""The metrics as Prometheus reads them: one value by name and labels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics.exposition import exposition
from gateway.metrics.publishing import published

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.metrics.expiry import Expiry

Key = tuple[str, frozenset[tuple[str, str]]]


class Samples:
    """A page of metrics, read."""

    def __init__(self, page: str) -> None:
        self.values: dict[Key, float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }

    def get(self, name: str, /, **labels: str) -> float | None:
        """Return a sample's value, None where there is none."""
        return self.values.get((name, frozenset(labels.items())))


def samples_at(folder: Path, *, at: float | None = None, expiries: Iterable[Expiry] = ()) -> Samples:
    """Return what the workers of `folder` have published; `at` is epoch seconds, now unless said."""
    now = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return Samples(exposition(list(published(folder, now=now.timestamp())), expiries, now, {}).decode())

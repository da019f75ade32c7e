"""Publishes a worker's numbers to a file of its own, now and then; whoever takes a dead worker's place goes on from them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from chassis.logs import get_logger
from gateway.metrics.tally import Tally, as_document, tally_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.audit.log import AuditLog

FRESH_SECONDS: Final = 10.0
"""For how long a worker's gauges count: one that is older has no living worker behind it."""
_PATTERN: Final = "metrics-*.json"
_MOST_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Published:
    """One worker's numbers. `gauges` are what it has now, empty where it is no more."""

    tally: Tally
    gauges: Mapping[str, Any]


class Publisher:
    """Writes the numbers of the worker that owns an audit file: the lock on that is the lock on this one too."""

    def __init__(self, folder: Path, audit: AuditLog) -> None:
        """Take up the numbers of the worker that had this place before."""
        self.path = folder / f"metrics-{audit.path.stem.partition('-')[2]}.json"
        self.tally = _taken_up(self.path)
        self._is_failing = False

    def publish(self, gauges: Mapping[str, Any], *, now: float) -> None:
        """Write them, whole or not at all; `now` is epoch seconds. What can't be written is written the next time."""
        fresh = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(orjson.dumps({"at": now, "gauges": gauges, "tally": as_document(self.tally)}))
            fresh.replace(self.path)
        except OSError as error:
            if not self._is_failing:
                get_logger().error("metrics.unwritable", path=str(self.path), error=str(error))
            self._is_failing = True
            return
        self._is_failing = False


def published(folder: Path, *, now: float) -> Iterator[Published]:
    """Yield the numbers of all workers there have been; a file that can't be read is passed over, and said so."""
    for path in sorted(folder.glob(_PATTERN)):
        document = _read(path)
        if document is None:
            continue
        is_fresh = abs(now - float(document["at"])) <= FRESH_SECONDS
        yield Published(tally_of(document["tally"]), document["gauges"] if is_fresh else {})


def _taken_up(path: Path) -> Tally:
    document = _read(path)
    return tally_of(document["tally"]) if document is not None else Tally()


def _read(path: Path) -> dict[str, Any] | None:
    """Return a file's content, None where there is none or it is none of ours."""
    try:
        with path.open("rb") as file:
            document = orjson.loads(file.read(_MOST_BYTES))
        tally_of(document["tally"])
        float(document["at"]), dict(document["gauges"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        get_logger().error("metrics.unreadable", path=str(path), error=repr(error))
        return None
    return dict(document)

"""A fault: what goes wrong on calls of a method and a path, how often, for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ANY_METHOD: Final = "*"
METHODS: Final = (ANY_METHOD, "GET", "POST", "PUT", "DELETE")
# Faults are for the interface under test; what sets them must always answer.
PREFIXES: Final = ("/v1/", "/v2/")
MOST_FAULTS: Final = 50
LONGEST_DELAY_MILLISECONDS: Final = 60_000
_TEMPLATE: Final = re.compile(r"/v[12](?:/(?:[A-Za-z0-9._-]+|\{[A-Za-z0-9_-]{1,40}\}))*(?:/\*\*)?", re.ASCII)


class FaultKind(StrEnum):
    """What goes wrong."""

    # The answer comes later.
    LATENCY = "latency"
    # The call is answered with an error, and nothing is done.
    ERROR = "error"
    # The work is done, and the connection ends without an answer.
    DROP_ANSWER = "drop-answer"
    # A payment that would be executed is rejected.
    REJECT_PAYMENT = "reject-payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a fault does, as far as its kind needs it."""

    milliseconds: int = 0
    status: int = 0
    code: str = ""
    text: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, object]:
        """Return what is set."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    @staticmethod
    def from_json(document: Mapping[str, object]) -> Effect:
        """Read what `as_json` wrote."""
        return Effect(**document)  # type: ignore[arg-type] # as `as_json` wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFault:
    """A fault to set. `calls` is for how many matching calls; None: until it is cleared."""

    method: str
    path: str
    kind: FaultKind
    effect: Effect
    rate: float = 1.0
    calls: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that has been set. Of `matched` calls it struck `struck`; spent, it does nothing any more."""

    id: str
    created_at: datetime
    method: str
    path: str
    kind: FaultKind
    effect: Effect
    rate: float
    calls: int | None
    matched: int
    struck: int

    @property
    def calls_left(self) -> int | None:
        """How many calls it is still for; None: until it is cleared."""
        return None if self.calls is None else max(0, self.calls - self.matched)

    def matches(self, method: str, path: str) -> bool:
        """Whether it is for such a call."""
        return self.method in {ANY_METHOD, method} and is_of_template(path, self.path)


def is_template(text: str) -> bool:
    """Tell whether a text is a path template: `/v1/accounts/{account-id}/balances`, `/v1/payments/**`."""
    return _TEMPLATE.fullmatch(text) is not None


def is_of_template(path: str, template: str) -> bool:
    """Tell whether a path is one of a template; a segment in braces stands for any, `**` at the end for all that follows."""
    wanted, found = template.split("/"), path.rstrip("/").split("/")
    if wanted[-1] == "**":
        wanted = wanted[:-1]
        found = found[: len(wanted)]
    return len(wanted) == len(found) and all(_fits(*pair) for pair in zip(found, wanted, strict=True))


def _fits(segment: str, wanted: str) -> bool:
    return segment == wanted or (wanted.startswith("{") and bool(segment))


def strikes(rate: float, matched: int) -> bool:
    """Whether the call with this number (from 1) is one of those that a rate hits: spread evenly, the same each time.

    Of a thousand calls at a rate of 0.3 it is 300, not about 300: a test that counts retries comes out the same again.
    """
    # In millionths, so that 0.1 is a tenth.
    millionths = round(rate * 1_000_000)
    return matched * millionths // 1_000_000 > (matched - 1) * millionths // 1_000_000

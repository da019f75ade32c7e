"""What the bank asks the edge to do to an answer, where a TPP has set a fault: hold it back, or never send it.

The edge does it because waiting costs it nothing; a thread of the bank that slept would be missed by other TPPs. The edge
takes the header out of the answer, and believes the bank only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HEADER: Final = "X-Sandbox-Fault-Order"
_FORM = re.compile(rb"delay=([0-9]{1,5})(; drop)?", re.ASCII)
LONGEST_MILLISECONDS: Final = 60_000


class UnreadableOrder(ValueError):
    """A header that no bank of ours writes."""


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """Wait so long; then answer, or end the connection."""

    milliseconds: int
    is_dropped: bool

    @property
    def header(self) -> str:
        """The header's value."""
        return f"delay={min(self.milliseconds, LONGEST_MILLISECONDS)}{'; drop' if self.is_dropped else ''}"


def read_fault_order(value: bytes) -> FaultOrder:
    """Read a header's value; raises `UnreadableOrder`."""
    match = _FORM.fullmatch(value)
    if match is None or int(match[1]) > LONGEST_MILLISECONDS:
        raise UnreadableOrder(value[:40].decode("latin-1"))
    return FaultOrder(int(match[1]), match[2] is not None)

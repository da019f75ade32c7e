"""Revoked serial numbers as they are kept and looked up: one block of octets, in order, each number equally wide.

100,000 of 20 octets take 2 MB in a worker, and taking up a new list copies a block: no object is made for each of them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 5280 §4.1.2.2 permits 20; wider ones would only serve to fill the memory.
MOST_OCTETS: Final = 32


class SerialTooLong(ValueError):
    """A serial number that no certificate should have."""


@dataclass(frozen=True, slots=True)
class RevokedSerials:
    """A set of serial numbers: `octets` holds them one after another, ascending, each in `width` octets, signed."""

    width: int
    octets: bytes

    @classmethod
    def of(cls, serials: Iterable[int]) -> RevokedSerials:
        """Put these numbers in order; raises `SerialTooLong`."""
        numbers = set(serials)
        width = max((_octets_of(number) for number in numbers), default=1)
        if width > MOST_OCTETS:
            raise SerialTooLong(f"a serial number of {width} octets: at most {MOST_OCTETS} are taken")
        ordered = sorted(number.to_bytes(width, "big", signed=True) for number in numbers)
        return cls(width, b"".join(ordered))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.octets) // self.width

    def __contains__(self, serial: object) -> bool:
        """Tell whether `serial` is among them, in a few microseconds however many there are."""
        if not isinstance(serial, int) or _octets_of(serial) > self.width:
            return False
        wanted = serial.to_bytes(self.width, "big", signed=True)
        place = bisect_left(range(len(self)), wanted, key=self._at)
        return place < len(self) and self._at(place) == wanted

    def _at(self, place: int) -> bytes:
        return self.octets[place * self.width : (place + 1) * self.width]


def _octets_of(number: int) -> int:
    """Return how many octets hold the number with its sign."""
    return number.bit_length() // 8 + 1

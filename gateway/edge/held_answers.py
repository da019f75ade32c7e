"""How many answers of one TPP are held back at a time, where it has set faults that make them slow.

Each holds a connection and its body, which others need too: without a bound one TPP's faults would be everybody's.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.admission.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_HELD: Final = 32


class HeldAnswers:
    """One worker's; a TPP that has `most` waiting gets no other one held."""

    def __init__(self, *, most: int = MOST_HELD) -> None:
        """Hold back none yet."""
        self._most = most
        self._held: Counter[str] = Counter()

    @contextmanager
    def holding(self, tpp: str) -> Iterator[None]:
        """Hold an answer of the TPP for as long as the block lasts; raises `Refusal` where too many wait already."""
        if self._held[tpp] >= self._most:
            raise Refusal("fault.too_many_held", f"{self._held[tpp]} answers of {tpp} are held back already")
        self._held[tpp] += 1
        try:
            yield
        finally:
            self._held[tpp] -= 1
            if not self._held[tpp]:
                del self._held[tpp]

"""State machines of the bank's aggregates: every move stands in one table, any other raises."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from bank_backend.errors import StatusInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

State = TypeVar("State", bound=StrEnum)


class IllegalMove(StatusInvalid):
    """A step that the aggregate's state does not allow (409)."""


@dataclass(frozen=True, slots=True)
class StateMachine(Generic[State]):
    """The legal moves of one kind of aggregate; a state without onward moves is final."""

    aggregate: str
    moves: Mapping[State, frozenset[State]]

    def is_final(self, state: State) -> bool:
        """Whether nothing can happen to the aggregate any more."""
        return not self.moves[state]

    def require_move(self, current: State, *, to: State) -> None:
        """Raise `IllegalMove` unless the table allows `current` → `to`."""
        if to in self.moves[current]:
            return
        onward = ", ".join(sorted(self.moves[current])) or "nothing: this state is final"
        raise IllegalMove(f"the {self.aggregate} is {current} and can't become {to}; from here it can become {onward}")

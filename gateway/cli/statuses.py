"""Exit statuses, beside 0 for done and nothing to do: as `diff` has them, 1 differs, 2 trouble (wrong usage too)."""

from typing import Final

DIFFERS: Final = 1
REFUSED: Final = 2
UNREACHABLE: Final = 3

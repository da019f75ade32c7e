"""How large the bank's tests by chance are: bounded, or with `BANK_TESTS=full` as large as what they are to prove."""

from __future__ import annotations

import os
from typing import Final

_VARIABLE: Final = "BANK_TESTS"
_SIZES: Final = {"usual": False, "full": True}


def sized(usual: int, *, full: int) -> int:
    """Return the size that is asked for."""
    asked = os.environ.get(_VARIABLE, "usual")
    if asked not in _SIZES:
        msg = f"{_VARIABLE} is {asked!r}: write {' or '.join(_SIZES)}"
        raise ValueError(msg)
    return full if _SIZES[asked] else usual

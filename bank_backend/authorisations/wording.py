"""How a request reads to the PSU, line by line: what the pages and the bank app show, so that no ask needs a template.

RTS 2018/389 Art. 5 (1)(a): the payer is made aware of amount and payee.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: `To`, `Buchhandlung am Markt`, and the account number in `detail`."""

    term: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A request in the PSU's words. `total` is shown large and stands on the button; None where nothing is paid."""

    opening: str
    question: str
    lines: tuple[Line, ...]
    confirmed: str
    refused: str
    total: Money | None = None
    confirm: str = "Confirm"

"""What can be wrong with a DPoP proof, each under a reason of its own (RFC 9449 §4.3, §5, §7, §8)."""

from __future__ import annotations

from typing import Final

CLAUSE: Final = "RFC 9449 §4.3"


class ProofFault(Exception):
    """A proof that proves nothing; `reason` names the fault, the message says it, `hint` what would be right."""

    def __init__(self, reason: str, text: str, *, hint: str, clause: str = CLAUSE) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.hint = hint
        self.clause = clause

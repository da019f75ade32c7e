"""Why payments are rejected: ISO 20022 external status reason codes, each with a sentence (BG IG 1.3.8 §5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_TEXT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionReason:
    """An ISO 20022 status reason code and a sentence."""

    code: str
    text: str

    @staticmethod
    def of(code: str, text: str) -> RejectionReason:
        """Return a reason whose text, which came from elsewhere, fits into the books."""
        return RejectionReason(code=code, text=text[:_MOST_TEXT])


REFUSED: Final = RejectionReason(code="CUST", text="the PSU did not approve the payment")
NOT_AUTHORISED_IN_TIME: Final = RejectionReason(code="TM01", text="no PSU approved the payment within 24 hours")
AUTHORISED_TOO_LATE: Final = RejectionReason(code="DT01", text="no day of execution was left when the payment was approved")
INSUFFICIENT_FUNDS: Final = RejectionReason(code="AM04", text="the debtor account does not cover the amount")
ABOVE_LIMIT: Final = RejectionReason(
    code="AM02", text="the amount is above what the debtor account may send at once or on a day"
)
UNKNOWN_CREDITOR: Final = RejectionReason(
    code="AC03", text="the creditor account is of this bank, and the bank has no such account"
)

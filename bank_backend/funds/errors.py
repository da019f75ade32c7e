"""What can be wrong with a question about funds (BG IG 1.3.8 §14.11)."""

from __future__ import annotations

from bank_backend.errors import BankError
from psd2.tpp_messages import MessageCode


class CardInvalid(BankError):
    """The card of a funds confirmation is not one of the account's (400)."""

    code = MessageCode.CARD_INVALID
    problem_code = "funds.card"
    title = "The card is invalid"


class NoPiisActivation(BankError):
    """The PSU has not enabled funds confirmations for this issuer (400)."""

    code = MessageCode.NO_PIIS_ACTIVATION
    problem_code = "funds.not_activated"
    title = "Funds confirmation is not activated"

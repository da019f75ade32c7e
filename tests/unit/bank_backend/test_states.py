"""State machines: every aggregate's whole table, move by move, and that each other move raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.authorisations.model import SCA_STATES
from bank_backend.consents.model import CONSENT_STATES
from bank_backend.interactions.model import INTERACTION_STATES, STEPS
from bank_backend.payments.model import PAYMENT_STATES, TransactionStatus
from bank_backend.sca.model import CHALLENGE_STATES
from bank_backend.states import IllegalMove

if TYPE_CHECKING:
    from bank_backend.states import StateMachine

LEGAL: dict[str, set[str]] = {
    "consent": {
        "received → partiallyAuthorised",
        "received → valid",
        "received → rejected",
        "received → expired",
        "received → terminatedByTpp",
        "partiallyAuthorised → valid",
        "partiallyAuthorised → rejected",
        "partiallyAuthorised → expired",
        "partiallyAuthorised → terminatedByTpp",
        "valid → expired",
        "valid → revokedByPsu",
        "valid → terminatedByTpp",
    },
    "payment": {
        *(f"RCVD → {to}" for to in ("PATC", "ACTC", "RJCT", "CANC")),
        *(f"PATC → {to}" for to in ("PATC", "ACTC", "RJCT", "CANC")),
        *(f"ACTC → {to}" for to in ("ACSP", "PDNG", "ACSC", "ACCC", "PART", "RJCT", "CANC")),
        *(f"PDNG → {to}" for to in ("PDNG", "ACSC", "ACCC", "PART", "RJCT", "CANC")),
        *(f"ACSP → {to}" for to in ("ACSP", "ACSC", "ACCC", "PART", "RJCT", "CANC")),
    },
    "authorisation": {
        "received → psuIdentified",
        "received → psuAuthenticated",
        "received → failed",
        "psuIdentified → psuIdentified",
        "psuIdentified → psuAuthenticated",
        "psuIdentified → failed",
        "psuAuthenticated → scaMethodSelected",
        "psuAuthenticated → started",
        "psuAuthenticated → exempted",
        "psuAuthenticated → failed",
        "scaMethodSelected → scaMethodSelected",
        "scaMethodSelected → started",
        "scaMethodSelected → failed",
        "started → started",
        "started → unconfirmed",
        "started → finalised",
        "started → failed",
        "unconfirmed → finalised",
        "unconfirmed → failed",
    },
    "interaction": {"pending → approved", "pending → rejected", "pending → expired", "pending → failed"},
    "visit": {
        "login → accounts",
        "login → review",
        "accounts → review",
        "review → review",
        "review → code",
        "code → code",
        "code → review",
    },
    "challenge": {"sent → passed", "sent → failed", "sent → expired", "sent → replaced", "sent → rejected"},
}
MACHINES: list[StateMachine[Any]] = [
    CONSENT_STATES,
    PAYMENT_STATES,
    SCA_STATES,
    INTERACTION_STATES,
    STEPS,
    CHALLENGE_STATES,
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.aggregate)
def test_exactly_the_moves_of_the_table_are_legal(machine: StateMachine[Any]) -> None:
    """Every pair of states is tried: those written down above pass, all others raise."""
    legal = set()
    for current in machine.moves:
        for to in machine.moves:
            try:
                machine.require_move(current, to=to)
            except IllegalMove:
                continue
            legal.add(f"{current} → {to}")

    assert legal == LEGAL[machine.aggregate]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.aggregate)
def test_every_state_has_its_row(machine: StateMachine[Any]) -> None:
    """A state without a row would raise KeyError instead of a refusal."""
    states = set(type(next(iter(machine.moves))))

    assert set(machine.moves) == states


def test_an_illegal_move_says_where_one_can_go() -> None:
    """The refusal names the state, the wish, and what would be possible."""
    with pytest.raises(IllegalMove, match=r"the payment is ACSC and can't become RJCT; from here .* nothing: .* final"):
        PAYMENT_STATES.require_move(TransactionStatus.ACSC, to=TransactionStatus.RJCT)

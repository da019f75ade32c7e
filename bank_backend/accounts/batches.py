"""The payments of a batch, each as a line of the statement would say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.ledger.particulars import Particulars, particulars_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_backend.ledger.batch_parts import BatchPart
    from bank_backend.ledger.statements import StatementLine


def batch_lines(line: StatementLine) -> Iterator[StatementLine]:
    """Yield what a batch is made of; nothing where it doesn't say so."""
    said = line.details
    for part in () if said is None else said.batch:
        yield _as_line(part, line)


def _as_line(part: BatchPart, line: StatementLine) -> StatementLine:
    said, exchange = _particulars(part), part.exchange
    return line._replace(
        amount_minor=part.amount_minor,
        creditor_name=part.creditor_name,
        creditor_iban=part.creditor_iban,
        remittance=part.remittance,
        end_to_end_id=part.end_to_end_id,
        source_currency=None if exchange is None else exchange.source_currency,
        target_currency=None if exchange is None else exchange.target_currency,
        exchange_rate_e8=None if exchange is None else exchange.rate_e8,
        quotation_date=None if exchange is None else exchange.quotation_date,
        contract=None if exchange is None else exchange.contract,
        particulars=particulars_as_json(said),
    )


def _particulars(part: BatchPart) -> Particulars:
    return Particulars(
        creditor_agent=part.creditor_agent,
        ultimate_debtor=part.ultimate_debtor,
        ultimate_creditor=part.ultimate_creditor,
        purpose=part.purpose,
        structured_reference=part.structured_reference,
    )

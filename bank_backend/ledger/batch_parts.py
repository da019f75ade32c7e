"""What a batch booked in one sum is made of (XS2A 1.3.11 `entryDetails`, ISO 20022 camt `TxDtls`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from bank_backend.ledger.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPart:
    """One payment of a batch. `amount_minor` is signed, in the currency of the batch's account; charges are not part of it."""

    amount_minor: int
    creditor_name: str = ""
    creditor_iban: str = ""
    creditor_agent: str = ""
    ultimate_debtor: str = ""
    ultimate_creditor: str = ""
    end_to_end_id: str = ""
    remittance: str = ""
    structured_reference: str = ""
    purpose: str = ""
    exchange: Exchange | None = None


def part_as_json(part: BatchPart) -> dict[str, Any]:
    """Return what the books keep: only what is said."""
    body = {name: value for name in part.__slots__ if (value := getattr(part, name)) not in (None, "")}
    if part.exchange is not None:
        body["exchange"] = _exchange_as_json(part.exchange)
    return body


def part_from_json(body: Mapping[str, Any]) -> BatchPart:
    """Read what the books have kept."""
    exchange = body.get("exchange")
    # What a later revision has added to the books is no reason to fail.
    values = {name: body[name] for name in BatchPart.__slots__ if name in body}
    return BatchPart(**{**values, "exchange": None if exchange is None else _exchange_from_json(exchange)})


def _exchange_as_json(exchange: Exchange) -> dict[str, Any]:
    return {
        "source_currency": exchange.source_currency,
        "target_currency": exchange.target_currency,
        "rate_e8": exchange.rate_e8,
        "quotation_date": exchange.quotation_date.isoformat(),
        "contract": exchange.contract,
    }


def _exchange_from_json(body: Mapping[str, Any]) -> Exchange:
    return Exchange(
        source_currency=body["source_currency"],
        target_currency=body["target_currency"],
        rate_e8=body["rate_e8"],
        quotation_date=date.fromisoformat(body["quotation_date"]),
        contract=body["contract"],
    )

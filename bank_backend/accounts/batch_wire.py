"""A batch's payments within its one entry, as JSON (XS2A 1.3.11 `entryDetails`, `batchIndicator`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.accounts.wire import minor_json
from bank_backend.references import number_json

if TYPE_CHECKING:
    from bank_backend.ledger.batch_parts import BatchPart
    from bank_backend.ledger.exchange import Exchange
    from bank_backend.ledger.statements import StatementLine

# BG: Max70Text, Max35Text.
_MOST_NAME: Final = 70
_MOST_REFERENCE: Final = 35


def batch_json(line: StatementLine) -> dict[str, object]:
    """Return what an entry says of its being a batch; nothing where it is none."""
    said = line.details
    if said is None or said.batch_size is None:
        return {}
    body: dict[str, object] = {"batchIndicator": True, "batchNumberOfTransactions": said.batch_size}
    return body | {"entryDetails": [_part_json(part, line.currency) for part in said.batch]} if said.batch else body


def exchange_json(exchange: Exchange) -> dict[str, object]:
    """Return `reportExchangeRate` (BG IG §14.29)."""
    body: dict[str, object] = {
        "sourceCurrency": exchange.source_currency,
        "exchangeRate": exchange.rate,
        "unitCurrency": exchange.source_currency,
        "targetCurrency": exchange.target_currency,
        "quotationDate": exchange.quotation_date,
    }
    return body | {"contractIdentification": exchange.contract} if exchange.contract else body


def _part_json(part: BatchPart, currency: str) -> dict[str, object]:
    texts = {
        "endToEndId": part.end_to_end_id,
        "creditorName": part.creditor_name[:_MOST_NAME],
        "creditorAgent": part.creditor_agent,
        "ultimateCreditor": part.ultimate_creditor[:_MOST_NAME],
        "ultimateDebtor": part.ultimate_debtor[:_MOST_NAME],
        "remittanceInformationUnstructured": part.remittance,
        "purposeCode": part.purpose,
    }
    body: dict[str, object] = {name: text for name, text in texts.items() if text}
    body["transactionAmount"] = minor_json(part.amount_minor, currency)
    if part.creditor_iban:
        body["creditorAccount"] = number_json(part.creditor_iban)
    if part.structured_reference:
        # An object here, and a text in the entry itself: so says the YAML.
        body["remittanceInformationStructured"] = {"reference": part.structured_reference[:_MOST_REFERENCE]}
    if part.exchange is not None:
        body["currencyExchange"] = [exchange_json(part.exchange)]
    return body

"""Lists of card transactions as JSON (BG IG 1.3.8 §14.27, §14.28)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bank_backend.accounts.codes import counterparty_of, proprietary_code, transaction_code
from bank_backend.accounts.invoices import last_billing_day
from bank_backend.accounts.report_wire import page_links
from bank_backend.accounts.wire import EVERY_BALANCE, account_reference_json, amount_json, balances_json, path_of
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.accounts.reports import TransactionReport
    from bank_backend.ledger.particulars import CardPurchase
    from bank_backend.ledger.statements import StatementLine

_MOST_DETAILS: Final = 140


def card_report_json(report: TransactionReport, kinds: Sequence[str] = EVERY_BALANCE) -> dict[str, object]:
    """Return `cardAccountReport` in its envelope, without the parts that were not asked for."""
    view = report.view
    invoiced_until = last_billing_day(report.today, view.account)
    transactions: dict[str, object] = {}
    if report.booked is not None:
        transactions["booked"] = [_line_json(line, invoiced_until) for line in report.booked.lines]
    if report.pending is not None:
        transactions["pending"] = [_line_json(line, invoiced_until) for line in report.pending]
    transactions["_links"] = {"cardAccount": {"href": path_of(view.account)}, **page_links(report)}
    body: dict[str, object] = {
        "cardAccount": account_reference_json(view.account),
        "debitAccounting": False,
        "cardTransactions": transactions,
    }
    return body if view.balances is None else body | {"balances": balances_json(view.balances, kinds)}


def _line_json(line: StatementLine, invoiced_until: date) -> dict[str, Any]:
    happened = datetime.fromtimestamp(line.at, UTC)
    body: dict[str, Any] = {
        "cardTransactionId": line.transaction_id.replace("-", ""),
        "transactionDate": happened.date(),
        "acceptorTransactionDateTime": f"{happened:%Y-%m-%dT%H:%M:%SZ}",
        "valueDate": line.value_date,
        "transactionAmount": {"currency": line.currency, "amount": Money(line.amount_minor, line.currency).decimal},
        "transactionDetails": (line.remittance or counterparty_of(line).name)[:_MOST_DETAILS],
        "invoiced": line.booking_date is not None and line.booking_date <= invoiced_until,
        "proprietaryBankTransactionCode": proprietary_code(transaction_code(line)),
    }
    if line.booking_date is not None:
        body["bookingDate"] = line.booking_date
    said = line.details
    return body if said is None or said.card is None else body | _purchase_json(said.card, line)


def _purchase_json(card: CardPurchase, line: StatementLine) -> dict[str, object]:
    texts = {
        "maskedPAN": card.masked_pan,
        "terminalId": card.terminal_id,
        "cardAcceptorId": card.acceptor_id,
        "cardAcceptorPhone": card.phone,
        "merchantCategoryCode": card.merchant_category,
    }
    body: dict[str, object] = {name: text for name, text in texts.items() if text}
    if card.country:
        address = {"townName": card.town, "country": card.country}
        body["cardAcceptorAddress"] = {name: text for name, text in address.items() if text}
    if card.markup_fee is not None:
        body["markupFee"] = amount_json(card.markup_fee)
    if card.markup_percent is not None:
        body["markupFeePercentage"] = str(card.markup_percent)
    if card.original is not None:
        body["originalAmount"] = amount_json(card.original)
        body |= _conversion_json(card, line)
    return body


def _conversion_json(card: CardPurchase, line: StatementLine) -> dict[str, object]:
    """Return at what rate the purchase was billed: billed amount less the markup, for each unit that the merchant charged."""
    original = card.original
    if original is None or original.currency == line.currency or not original.minor:
        return {}
    billed = Money(abs(line.amount_minor) - (card.markup_fee.minor if card.markup_fee else 0), line.currency)
    rate = Decimal(billed.decimal) / abs(Decimal(original.decimal))
    exchange = {
        "sourceCurrency": original.currency,
        "exchangeRate": f"{rate:.6f}",
        "unitCurrency": original.currency,
        "targetCurrency": line.currency,
        "quotationDate": datetime.fromtimestamp(line.at, UTC).date(),
    }
    return {"currencyExchange": [exchange]}

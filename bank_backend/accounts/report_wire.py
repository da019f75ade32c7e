"""Lists of transactions and their details as JSON (BG IG 1.3.8 §14.23 to §14.26, §14.29)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from bank_backend.accounts.batch_wire import batch_json, exchange_json
from bank_backend.accounts.codes import proprietary_code, transaction_code
from bank_backend.accounts.model import PageDirection, PageRef
from bank_backend.accounts.wire import EVERY_BALANCE, account_reference_json, amount_json, balances_json, path_of
from bank_backend.references import number_json
from psd2.money import decimal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.information import AccountView
    from bank_backend.accounts.reports import TransactionReport
    from bank_backend.accounts.standing_orders import StandingOrder
    from bank_backend.ledger.particulars import Particulars
    from bank_backend.ledger.statements import StatementLine

# BG: Max70Text.
_MOST_NAME: Final = 70
_MOST_TEXT: Final = 140


def report_json(report: TransactionReport, kinds: Sequence[str] = EVERY_BALANCE) -> dict[str, object]:
    """Return `accountReport` in its envelope, without the parts that were not asked for."""
    view = report.view
    paths = {member.currency: f"{path_of(member)}/transactions/" for member in view.members}
    balances, transactions = view.rights.balances, dict[str, object]()
    if report.booked is not None:
        transactions["booked"] = [_line_json(line, paths[line.currency], balances=balances) for line in report.booked.lines]
    if report.pending is not None:
        transactions["pending"] = [_line_json(line, paths[line.currency], balances=balances) for line in report.pending]
    if report.information is not None:
        transactions["information"] = [_order_json(order) for order in report.information]
    transactions["_links"] = {"account": {"href": path_of(view.account)}, **page_links(report)}
    body: dict[str, object] = {"account": account_reference_json(view.account), "transactions": transactions}
    return body if view.balances is None else body | {"balances": balances_json(view.balances, kinds)}


def download_json(account_id: str, download_id: str) -> dict[str, object]:
    """Return what a list comes to that is fetched by a link of its own."""
    return {"_links": {"download": {"href": f"/v1/accounts/{account_id}/transactions/download/{download_id}"}}}


def details_json(line: StatementLine, view: AccountView) -> dict[str, object]:
    """Return a transaction with what the list leaves out."""
    body = _line_json(line, "", balances=view.rights.balances)
    del body["_links"]
    if line.mandate_id:
        body |= {"mandateId": line.mandate_id, "creditorId": line.creditor_id}
    body["proprietaryBankTransactionCode"] = proprietary_code(transaction_code(line))
    if line.exchange is not None:
        body["currencyExchange"] = [exchange_json(line.exchange)]
    said = line.details
    return body if said is None else body | _particulars_json(said, is_debit=line.amount_minor < 0)


def _line_json(line: StatementLine, path: str, *, balances: bool) -> dict[str, Any]:
    """Return `transactions`; a balance after each movement is a balance, told only where the consent grants those."""
    currency = line.currency
    body: dict[str, Any] = {
        "transactionId": line.transaction_id,
        "valueDate": line.value_date,
        "transactionAmount": {"currency": currency, "amount": decimal_text(line.amount_minor, currency)},
        "bankTransactionCode": transaction_code(line),
        "_links": {"transactionDetails": {"href": f"{path}{line.transaction_id}"}},
    }
    _name_counterparty(body, line)
    if line.remittance:
        body["remittanceInformationUnstructured"] = line.remittance
    if line.end_to_end_id:
        body["endToEndId"] = line.end_to_end_id
    if line.number is not None:
        body["entryReference"] = str(line.number)
        body["bookingDate"] = line.booking_date
    if line.balance_minor is not None and balances:
        amount = {"currency": currency, "amount": decimal_text(line.balance_minor, currency)}
        body["balanceAfterTransaction"] = {"balanceAmount": amount, "balanceType": "interimBooked"}
    return body | batch_json(line) if line.is_batch else body


def _name_counterparty(body: dict[str, Any], line: StatementLine) -> None:
    # As `counterparty_of` says; a list does without what only the details tell.
    if line.amount_minor < 0:
        side, name, number = "creditor", line.creditor_name, line.creditor_iban
    else:
        side, name, number = "debtor", line.debtor_name, line.debtor_iban
    if name:
        body[f"{side}Name"] = name[:_MOST_NAME]
    if number:
        body[f"{side}Account"] = number_json(number)


def _particulars_json(said: Particulars, *, is_debit: bool) -> dict[str, object]:
    side, agent = ("creditor", said.creditor_agent) if is_debit else ("debtor", said.debtor_agent)
    texts = {
        f"{side}Agent": agent,
        "ultimateCreditor": said.ultimate_creditor[:_MOST_NAME],
        "ultimateDebtor": said.ultimate_debtor[:_MOST_NAME],
        "purposeCode": said.purpose,
        "remittanceInformationStructured": said.structured_reference[:_MOST_TEXT],
        "additionalInformation": said.additional_information,
    }
    return {name: text for name, text in texts.items() if text}


def _order_json(order: StandingOrder) -> dict[str, object]:
    details: dict[str, object] = {"startDate": order.start, "frequency": order.frequency}
    optional = {
        "endDate": order.end,
        "executionRule": order.execution_rule or None,
        "dayOfExecution": None if order.day_of_execution is None else str(order.day_of_execution),
        "monthsOfExecution": [str(month) for month in order.months] or None,
    }
    details |= {name: value for name, value in optional.items() if value is not None}
    body: dict[str, object] = {
        "transactionAmount": amount_json(order.amount),
        "creditorName": order.creditor_name[:_MOST_NAME],
        "creditorAccount": number_json(order.creditor_account),
        "bankTransactionCode": order.code,
        "additionalInformationStructured": {"standingOrderDetails": details},
    }
    return body | {"remittanceInformationUnstructured": order.remittance} if order.remittance else body


def page_links(report: TransactionReport) -> dict[str, object]:
    """Return the links to the pages beside this one, and to both ends of the list."""
    page = report.booked
    if page is None:
        return {}
    links: dict[str, object] = {}
    if report.query.page is not None:
        links["first"] = {"href": _list_href(report, None)}
    if page.previous is not None:
        links["previous"] = {"href": _list_href(report, page.previous)}
    if page.next is not None:
        links["next"] = {"href": _list_href(report, page.next)}
        links["last"] = {"href": _list_href(report, PageRef(PageDirection.LAST))}
    return links


def _list_href(report: TransactionReport, page: PageRef | None) -> str:
    query, account = report.query, report.view.account
    parameters = {"bookingStatus": query.booking_status.value}
    if report.after_number is None:
        parameters |= {"dateFrom": report.period.since.isoformat(), "dateTo": report.period.until.isoformat()}
    else:
        # A delta list's pages are those of its first moment: what is new by then is not asked for twice.
        parameters["entryReferenceFrom"] = str(report.after_number)
    if query.with_balance and not account.is_card:
        parameters["withBalance"] = "true"
    if page is not None:
        parameters["page"] = str(page)
    return f"{path_of(account)}/transactions?{urlencode(parameters)}"

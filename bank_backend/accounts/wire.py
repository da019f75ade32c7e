"""Accounts, balances and transactions as JSON (BG IG 1.3.8 §14.19 to §14.24)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from psd2.money import Money

if TYPE_CHECKING:
    from bank_backend.accounts.information import TransactionReport
    from bank_backend.accounts.model import Account, AccountRights, TransactionsQuery
    from bank_backend.ledger.model import Balances
    from bank_backend.ledger.statements import Place, StatementLine, StatementPage

# BG: Max70Text.
_MOST_NAME: Final = 70


def account_json(account: Account, rights: AccountRights, balances: Balances | None) -> dict[str, object]:
    """Return `accountDetails`; links lead only where the consent does."""
    body: dict[str, object] = {
        "resourceId": account.id,
        "iban": account.iban,
        "currency": account.currency,
        "name": account.name,
        "product": account.product,
        "cashAccountType": account.cash_account_type,
        "status": account.status.value,
        "bic": account.bic,
        "usage": account.usage.value,
    }
    if rights.owner_name:
        body["ownerName"] = account.owner_name
    if balances is not None:
        body["balances"] = balances_json(balances)
    links = {}
    if rights.balances:
        links["balances"] = {"href": f"{_path(account)}/balances"}
    if rights.transactions:
        links["transactions"] = {"href": f"{_path(account)}/transactions"}
    return body | {"_links": links} if links else body


def account_reference_json(account: Account) -> dict[str, str]:
    """Return `accountReference`."""
    return {"iban": account.iban, "currency": account.currency}


def balances_json(balances: Balances) -> list[dict[str, object]]:
    """Return `balanceList`, what can be spent now first; a credit line is in no balance that doesn't say so (§14.21)."""
    today = balances.today.isoformat()
    without_credit = balances.interim_available - balances.credit_limit
    parts = [_balance_json("interimAvailable", without_credit, today)]
    if balances.credit_limit.minor:
        parts.append(_balance_json("interimAvailable", balances.interim_available, today) | {"creditLimitIncluded": True})
    parts.append(_balance_json("interimBooked", balances.interim_booked, today))
    parts.append(_balance_json("expected", balances.expected, today))
    yesterday = (balances.today - timedelta(days=1)).isoformat()
    parts.append(_balance_json("closingBooked", balances.closing_booked, yesterday))
    return parts


def _balance_json(kind: str, amount: Money, reference_date: str) -> dict[str, object]:
    return {"balanceAmount": amount_json(amount), "balanceType": kind, "referenceDate": reference_date}


def amount_json(amount: Money) -> dict[str, str]:
    """Return `amount`."""
    return {"currency": amount.currency, "amount": amount.decimal}


def report_json(report: TransactionReport, query: TransactionsQuery) -> dict[str, object]:
    """Return `accountReport` in its envelope, without the parts that were not asked for."""
    account, rights = report.view.account, report.view.rights
    transactions: dict[str, object] = {}
    if report.booked is not None:
        transactions["booked"] = [_line_json(line, account, rights) for line in report.booked.lines]
    if report.pending is not None:
        transactions["pending"] = [_line_json(line, account, rights) for line in report.pending]
    transactions["_links"] = _report_links(account, query, report.booked)
    body: dict[str, object] = {"account": account_reference_json(account), "transactions": transactions}
    return body if report.view.balances is None else body | {"balances": balances_json(report.view.balances)}


def transaction_details_json(line: StatementLine, account: Account, rights: AccountRights) -> dict[str, object]:
    """Return a transaction with what the list leaves out."""
    body = _line_json(line, account, rights)
    del body["_links"]
    if line.mandate_id:
        body |= {"mandateId": line.mandate_id, "creditorId": line.creditor_id}
    return body


def _line_json(line: StatementLine, account: Account, rights: AccountRights) -> dict[str, object]:
    currency = line.currency
    body: dict[str, object] = {
        "transactionId": line.transaction_id,
        "valueDate": line.value_date,
        "transactionAmount": {"currency": currency, "amount": Money(line.amount_minor, currency).decimal},
        **_counterparty(line),
        "remittanceInformationUnstructured": line.remittance,
        "bankTransactionCode": _code(line),
        "_links": {"transactionDetails": {"href": f"{_path(account)}/transactions/{line.transaction_id}"}},
    }
    if line.end_to_end_id:
        body["endToEndId"] = line.end_to_end_id
    if line.number is not None:
        body["entryReference"] = str(line.number)
        body["bookingDate"] = line.booking_date
    # A balance after each movement is a balance: only where the consent grants those.
    if line.balance_minor is not None and rights.balances:
        body["balanceAfterTransaction"] = {
            "balanceAmount": {"currency": currency, "amount": Money(line.balance_minor, currency).decimal},
            "balanceType": "interimBooked",
        }
    return body


def _counterparty(line: StatementLine) -> dict[str, object]:
    """Name the other side: the creditor of what was debited, the debtor of what was credited (§14.24)."""
    if line.amount_minor < 0:
        side, name, iban = "creditor", line.creditor_name, line.creditor_iban
    else:
        side, name, iban = "debtor", line.debtor_name, line.debtor_iban
    named: dict[str, object] = {f"{side}Name": name[:_MOST_NAME]}
    return named | {f"{side}Account": {"iban": iban}} if iban else named


def _code(line: StatementLine) -> str:
    """Return the bank transaction code as this side sees it: what the payer issued, the payee received."""
    if line.amount_minor > 0 and line.code.startswith("PMNT-ICDT-"):
        return "PMNT-RCDT-BOOK" if line.code.endswith("-BOOK") else "PMNT-RCDT-ESCT"
    return line.code


def _report_links(account: Account, query: TransactionsQuery, page: StatementPage | None) -> dict[str, object]:
    links: dict[str, object] = {"account": {"href": _path(account)}}
    if page is None:
        return links
    if query.older_than is not None:
        links["first"] = {"href": _list_href(account, query, None)}
    if page.older_than is not None:
        links["next"] = {"href": _list_href(account, query, page.older_than)}
    return links


def _list_href(account: Account, query: TransactionsQuery, place: Place | None) -> str:
    parameters = {"bookingStatus": query.booking_status.value}
    if query.after_number is None:
        parameters |= {"dateFrom": query.since.isoformat(), "dateTo": query.until.isoformat()}
    else:
        parameters["entryReferenceFrom"] = str(query.after_number)
    if query.with_balance:
        parameters["withBalance"] = "true"
    if place is not None:
        parameters["page"] = str(place)
    return f"{_path(account)}/transactions?{urlencode(parameters)}"


def _path(account: Account) -> str:
    return f"/v1/accounts/{account.id}"

"""Account reports in ISO 20022 XML: camt.053.001.08 of what is booked, camt.052.001.08 with what is pending (BG IG §6.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from bank_backend.accounts.batches import batch_lines
from bank_backend.accounts.codes import counterparty_of, transaction_code
from bank_backend.references import is_iban_shaped
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.accounts.reports import AccountStatement
    from bank_backend.ledger.statements import StatementLine

_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.{}.001.08"
_BOOKED, _PENDING = "BOOK", "PDNG"


def statement_xml(statements: Sequence[AccountStatement], *, message: str, at: datetime) -> bytes:
    """Return a camt.053: what was booked on each account; `message` identifies the document."""
    root = _Document("053", "BkToCstmrStmt", message=message, at=at)
    for number, statement in enumerate(statements, start=1):
        root.add("Stmt", statement, f"{message[:30]}-{number}", at)
    return root.xml()


def report_xml(statements: Sequence[AccountStatement], *, message: str, at: datetime) -> bytes:
    """Return a camt.052: what was booked and is pending on each account."""
    root = _Document("052", "BkToCstmrAcctRpt", message=message, at=at)
    for number, statement in enumerate(statements, start=1):
        root.add("Rpt", statement, f"{message[:30]}-{number}", at)
    return root.xml()


class _Document:
    """One message: its header, and a statement or report for each account."""

    def __init__(self, kind: str, name: str, *, message: str, at: datetime) -> None:
        self._namespace = _NAMESPACE.format(kind)
        # The stubs know no default namespace.
        self._root = etree.Element(self._tag("Document"), nsmap={None: self._namespace})  # type: ignore[dict-item]
        self._message = self._in(self._root, name)
        header = self._in(self._message, "GrpHdr")
        self._text(header, "MsgId", message[:35])
        self._text(header, "CreDtTm", _moment(at))

    def xml(self) -> bytes:
        """Return the document as it is sent."""
        return etree.tostring(self._root, xml_declaration=True, encoding="UTF-8")

    def add(self, name: str, statement: AccountStatement, identification: str, at: datetime) -> None:
        """Add what is told of one account."""
        here = self._in(self._message, name)
        self._text(here, "Id", identification[:35])
        self._text(here, "ElctrncSeqNb", str(statement.sequence))
        self._text(here, "CreDtTm", _moment(at))
        period = self._in(here, "FrToDt")
        self._text(period, "FrDtTm", f"{statement.since.isoformat()}T00:00:00Z")
        self._text(period, "ToDtTm", f"{statement.until.isoformat()}T23:59:59Z")
        self._account(here, statement)
        self._balance(here, "OPBD", statement.opening, statement.since)
        self._balance(here, "CLBD" if name == "Stmt" else "ITBD", statement.closing, statement.until)
        for line in statement.booked:
            self._entry(here, line, _BOOKED)
        for line in statement.pending:
            self._entry(here, line, _PENDING)

    def _account(self, parent: etree._Element, statement: AccountStatement) -> None:
        account = statement.account
        here = self._in(parent, "Acct")
        self._text(self._in(here, "Id"), "IBAN", account.iban)
        self._text(self._in(here, "Tp"), "Cd", account.cash_account_type)
        self._text(here, "Ccy", account.currency)
        if statement.owner_name:
            self._text(self._in(here, "Ownr"), "Nm", statement.owner_name)
        if account.bic:
            self._text(self._in(self._in(here, "Svcr"), "FinInstnId"), "BICFI", account.bic)

    def _balance(self, parent: etree._Element, code: str, amount: Money | None, day: date) -> None:
        if amount is None:
            return
        here = self._in(parent, "Bal")
        self._text(self._in(self._in(here, "Tp"), "CdOrPrtry"), "Cd", code)
        self._amount(here, "Amt", amount)
        self._text(self._in(here, "Dt"), "Dt", day.isoformat())

    def _entry(self, parent: etree._Element, line: StatementLine, status: str) -> None:
        here, amount = self._in(parent, "Ntry"), Money(line.amount_minor, line.currency)
        if line.number is not None:
            self._text(here, "NtryRef", str(line.number))
        self._amount(here, "Amt", amount)
        self._text(self._in(here, "Sts"), "Cd", status)
        if line.booking_date is not None:
            self._text(self._in(here, "BookgDt"), "Dt", line.booking_date.isoformat())
        self._text(self._in(here, "ValDt"), "Dt", line.value_date.isoformat())
        self._text(here, "AcctSvcrRef", line.transaction_id.replace("-", "")[:35])
        self._code(here, transaction_code(line))
        details = self._in(here, "NtryDtls")
        if line.is_batch:
            self._batch(details, line)
        else:
            self._details(self._in(details, "TxDtls"), line)

    def _batch(self, parent: etree._Element, line: StatementLine) -> None:
        """Add what a batch comes to, and each of its payments where it says them."""
        here, said = self._in(parent, "Btch"), line.details
        if said is not None and said.batch_size is not None:
            self._text(here, "NbOfTxs", str(said.batch_size))
        self._amount(here, "TtlAmt", Money(line.amount_minor, line.currency))
        for part in batch_lines(line):
            self._details(self._in(parent, "TxDtls"), part, amount=Money(part.amount_minor, part.currency))

    def _code(self, parent: etree._Element, code: str) -> None:
        domain, family, sub_family = code.split("-")
        here = self._in(self._in(parent, "BkTxCd"), "Domn")
        self._text(here, "Cd", domain)
        below = self._in(here, "Fmly")
        self._text(below, "Cd", family)
        self._text(below, "SubFmlyCd", sub_family)

    def _details(self, here: etree._Element, line: StatementLine, *, amount: Money | None = None) -> None:
        """Add a transaction; `amount` where it is one of several in its entry."""
        references = self._in(here, "Refs")
        if amount is None:
            self._text(references, "AcctSvcrRef", line.transaction_id.replace("-", "")[:35])
        self._text(references, "EndToEndId", line.end_to_end_id or "NOTPROVIDED")
        if line.mandate_id:
            self._text(references, "MndtId", line.mandate_id)
        if amount is not None:
            self._amount(here, "Amt", amount)
        self._exchanged(here, line)
        self._parties(here, line)
        said = line.details
        if said is not None and said.purpose:
            self._text(self._in(here, "Purp"), "Cd", said.purpose)
        if line.remittance or (said is not None and said.structured_reference):
            remittance = self._in(here, "RmtInf")
            if line.remittance:
                self._text(remittance, "Ustrd", line.remittance[:140])
            if said is not None and said.structured_reference:
                reference = self._in(self._in(remittance, "Strd"), "CdtrRefInf")
                self._text(reference, "Ref", said.structured_reference[:35])

    def _exchanged(self, parent: etree._Element, line: StatementLine) -> None:
        rate = line.exchange
        if rate is None:
            return
        here = self._in(self._in(parent, "AmtDtls"), "TxAmt")
        self._sum(here, "Amt", Money(abs(line.amount_minor), line.currency))
        exchange = self._in(here, "CcyXchg")
        self._text(exchange, "SrcCcy", rate.source_currency)
        self._text(exchange, "TrgtCcy", rate.target_currency)
        self._text(exchange, "UnitCcy", rate.source_currency)
        self._text(exchange, "XchgRate", rate.rate)

    def _parties(self, parent: etree._Element, line: StatementLine) -> None:
        other = counterparty_of(line)
        if not other.name and not other.account:
            return
        here = self._in(parent, "RltdPties")
        side = "Cdtr" if other.is_creditor else "Dbtr"
        if other.name:
            self._text(self._in(self._in(here, side), "Pty"), "Nm", other.name[:140])
        if other.account:
            identified = self._in(self._in(here, f"{side}Acct"), "Id")
            if is_iban_shaped(other.account):
                self._text(identified, "IBAN", other.account)
            else:
                self._text(self._in(identified, "Othr"), "Id", other.account)
        if other.agent:
            agent = self._in(self._in(self._in(parent, "RltdAgts"), f"{side}Agt"), "FinInstnId")
            self._text(agent, "BICFI", other.agent)

    def _amount(self, parent: etree._Element, name: str, amount: Money) -> None:
        self._sum(parent, name, Money(abs(amount.minor), amount.currency))
        self._text(parent, "CdtDbtInd", "DBIT" if amount.minor < 0 else "CRDT")

    def _sum(self, parent: etree._Element, name: str, amount: Money) -> None:
        here = self._text(parent, name, amount.decimal)
        here.set("Ccy", amount.currency)

    def _in(self, parent: etree._Element, name: str) -> etree._Element:
        return etree.SubElement(parent, self._tag(name))

    def _text(self, parent: etree._Element, name: str, text: str) -> etree._Element:
        here = self._in(parent, name)
        here.text = text
        return here

    def _tag(self, name: str) -> str:
        return f"{{{self._namespace}}}{name}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"

"""Initiating payments of every kind at a seeded bank, approving them, and letting time pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from bank_backend.accounts.store import accounts
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import ELSEWHERE, payment_body

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from psd2.ids import PsuId
    from psd2.money import Money
    from tests.support.bank_sca import BankDesk

SINGLE, BULK, PERIODIC = "payments", "bulk-payments", "periodic-payments"
SEPA, INSTANT = "sepa-credit-transfers", "instant-sepa-credit-transfers"
TARGET_2, CROSS_BORDER = "target-2-payments", "cross-border-credit-transfers"
TODAY = date(2026, 11, 18)
SATURDAY = date(2026, 11, 21)
# Of other banks, so that nobody here is credited.
PAYEES = ("DE02100100109307118603", "FR7630006000011234567890189", "NL91ABNA0417164300")
OLD_PAIN, NEW_PAIN = "pain.001.001.03", "pain.001.001.09"


@dataclass
class Till:
    """A TPP that initiates payments of one PSU."""

    desk: BankDesk
    psu: PsuId = ANNA

    @property
    def iban(self) -> str:
        return self.desk.iban(self.psu)

    def post(self, service: str, product: str, body: dict[str, Any], **headers: str) -> TestResponse:
        """Initiate a payment in JSON."""
        return self.desk.tpp.post(f"/v1/{service}/{product}", body, **headers)

    def initiated(self, service: str, product: str, body: dict[str, Any], **headers: str) -> str:
        """Initiate a payment in JSON; returns its path."""
        answer = self.post(service, product, body, **headers)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    def single(self, product: str = SEPA, **changes: Any) -> str:
        """Initiate a single payment; returns its path."""
        return self.initiated(SINGLE, product, payment_body(self.iban, **changes))

    def bulk(self, *entries: dict[str, Any], product: str = SEPA, **changes: Any) -> str:
        """Initiate a bulk of these entries, or of two; returns its path."""
        return self.initiated(BULK, product, self.bulk_body(*entries, **changes))

    def bulk_body(self, *entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Return a bulk's body."""
        return {"debtorAccount": {"iban": self.iban}, "payments": list(entries) or [entry(), entry("20.00")]} | changes

    def periodic(self, *, product: str = SEPA, **changes: Any) -> str:
        """Initiate a monthly payment that begins today; returns its path."""
        return self.initiated(PERIODIC, product, self.periodic_body(**changes))

    def periodic_body(self, **changes: Any) -> dict[str, Any]:
        """Return a periodic payment's body."""
        return payment_body(self.iban) | {"startDate": TODAY.isoformat(), "frequency": "Monthly"} | changes

    def send_pain(self, service: str, document: str, product: str = SEPA, **headers: str) -> TestResponse:
        """Initiate a payment in pain.001."""
        return self.desk.tpp.send(f"/v1/{service}/pain.001-{product}", document.encode(), "application/xml", **headers)

    def approve(self, path: str, *, psu: str | None = None, kind: str = "pis", result: str = "APPROVED") -> TestResponse:
        """Have the PSU decide, without a browser."""
        answer = self.desk.decide(self.desk.begin(kind, path.rpartition("/")[2]), psu=psu or self.psu, result=result)
        assert answer.status_code == 200, answer.text
        return answer

    def approved(self, path: str) -> str:
        """Approve the payment and return its status."""
        self.approve(path)
        return self.status(path)

    def status(self, path: str) -> str:
        """Return the transaction status."""
        return str(self.status_body(path)["transactionStatus"])

    def status_body(self, path: str) -> dict[str, Any]:
        """Return the whole answer."""
        answer = self.desk.tpp.get(f"{path}/status", Accept="application/json")
        assert answer.status_code == 200, answer.text
        return dict(answer.json)  # type: ignore[arg-type]

    def information(self, path: str) -> dict[str, Any]:
        """Return what is told of the payment."""
        answer = self.desk.tpp.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)  # type: ignore[arg-type]

    def pass_time(self, by: timedelta) -> None:
        """Let the tenant's time pass, with all that is due in it."""
        self.desk.bank.clock.advance(by)
        self.desk.bank.services.scheduler.run_due(TENANT)

    def pass_until(self, day: date) -> None:
        """Let the tenant's time pass until the beginning of this day."""
        now = self.desk.bank.services.clock.now(TENANT)
        self.pass_time(datetime.combine(day, time(), UTC) - now)

    def available(self, psu: PsuId | None = None) -> Money:
        """Return what the PSU's first account can spend."""
        return self.desk.bank.balances(self.desk.bank.account(psu or self.psu)).interim_available

    def tasks(self) -> int:
        """Return how many tasks of payments are in the schedule."""
        with self.desk.bank.database.reading() as connection:
            upcoming = self.desk.bank.services.schedule.upcoming(connection, TENANT)
        return sum(each.kind.endswith("-payment") for each in upcoming)

    def set_account(self, psu: PsuId, **columns: Any) -> None:
        """Change the row of the PSU's first account."""
        account = self.desk.bank.account(psu)
        with self.desk.bank.database.writing() as connection:
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(columns))

    def is_reconciled(self) -> bool:
        """Whether the ledger is right."""
        with self.desk.bank.database.reading() as connection:
            return self.desk.bank.services.ledger.reconcile(connection).is_right


def entry(amount: str = "12.50", *, iban: str = ELSEWHERE, currency: str = "EUR", **changes: Any) -> dict[str, Any]:
    """Return one payment of a bulk."""
    body = payment_body("", instructedAmount={"currency": currency, "amount": amount}, creditorAccount={"iban": iban})
    del body["debtorAccount"]
    return body | changes


def pain(
    debtor: str,
    *amounts: str,
    version: str = OLD_PAIN,
    day: date = TODAY,
    creditor: str = ELSEWHERE,
    number: int | None = None,
    currency: str = "EUR",
) -> str:
    """Return a pain.001 message that pays these amounts, 12.50 by default."""
    amounts = amounts or ("12.50",)
    bic = "BIC" if version == OLD_PAIN else "BICFI"
    when = day.isoformat() if version == OLD_PAIN else f"<Dt>{day.isoformat()}</Dt>"
    transfers = "".join(
        f"""
      <CdtTrfTxInf>
        <PmtId><InstrId>I-{place}</InstrId><EndToEndId>E2E-{place}</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>
        <CdtrAgt><FinInstnId><{bic}>PBNKDEFFXXX</{bic}></FinInstnId></CdtrAgt>
        <Cdtr><Nm>Buchhandlung am Markt</Nm></Cdtr>
        <CdtrAcct><Id><IBAN>{creditor}</IBAN></Id></CdtrAcct>
        <RmtInf><Ustrd>Rechnung 2026-4711</Ustrd></RmtInf>
      </CdtTrfTxInf>"""
        for place, amount in enumerate(amounts)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>MSG-1</MsgId>
      <CreDtTm>2026-11-18T09:00:00Z</CreDtTm>
      <NbOfTxs>{len(amounts) if number is None else number}</NbOfTxs>
      <InitgPty><Nm>Fintech Example</Nm></InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>PMT-1</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <ReqdExctnDt>{when}</ReqdExctnDt>
      <Dbtr><Nm>Anna Weber</Nm></Dbtr>
      <DbtrAcct><Id><IBAN>{debtor}</IBAN></Id></DbtrAcct>
      <DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>
      <ChrgBr>SLEV</ChrgBr>{transfers}
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>
"""

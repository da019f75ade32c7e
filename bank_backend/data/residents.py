"""The people and the accounts of test data that somebody brings in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.accounts.model import Account, AccountKind
from bank_backend.personas.service import account_id
from bank_backend.psus.model import Psu
from psd2.ids import AccountId, PsuId

if TYPE_CHECKING:
    from bank_backend.data.findings import Findings, Key, Premises
    from bank_backend.data.lines import AccountLine
    from bank_backend.data.reading import Numbered


class Residents:
    """Reads who there is and who holds what; mistakes go to `findings`."""

    def __init__(self, lines: Numbered, premises: Premises, findings: Findings) -> None:
        """Read these."""
        self._lines, self._premises, self._findings = lines, premises, findings
        self.psus = self._psus()
        self.accounts: dict[Key, Account] = {}
        self.holders = self._open_accounts({psu.id for psu in self.psus})

    def _psus(self) -> list[Psu]:
        psus: dict[str, Psu] = {}
        for number, line in self._lines.psus:
            if line.psu in psus:
                self._findings.note("psus", number, "psu", f"{line.psu!r} stands there twice: each login once")
            psus[line.psu] = Psu(
                id=PsuId(line.psu),
                tenant=self._premises.tenant,
                name=line.name,
                email=line.email,
                phone=line.phone,
                purpose=line.purpose,
            )
        return list(psus.values())

    def _open_accounts(self, logins: set[PsuId]) -> list[tuple[PsuId, AccountId]]:
        holders: list[tuple[PsuId, AccountId]] = []
        payment = [(number, line) for number, line in self._lines.accounts if not line.pan]
        cards = [(number, line) for number, line in self._lines.accounts if line.pan]
        for number, line in payment + cards:
            account = self._account(number, line)
            if account is not None:
                self.accounts[line.pan or line.iban, line.currency] = account
                holders.extend((login, account.id) for login in self._holders(number, line, logins))
        # In the order in which they are listed.
        order = {(line.pan or line.iban, line.currency): place for place, (_, line) in enumerate(self._lines.accounts)}
        self.accounts = dict(sorted(self.accounts.items(), key=lambda item: order[item[0]]))
        return holders

    def _holders(self, number: int, line: AccountLine, logins: set[PsuId]) -> list[PsuId]:
        named = [PsuId(login) for login in dict.fromkeys(line.holders.split())]
        for login in named:
            if login not in logins:
                self._findings.note(
                    "accounts", number, "holders", f"{login[:64]!r} is no psu of psus: write a login that stands there"
                )
        return [login for login in named if login in logins]

    def _account(self, number: int, line: AccountLine) -> Account | None:
        if bool(line.iban) == bool(line.pan):
            self._findings.note("accounts", number, "iban", "an account has either an iban or, for a card, a pan")
            return None
        if (line.pan or line.iban, line.currency) in self.accounts:
            column = "pan" if line.pan else "iban"
            self._findings.note(
                "accounts", number, column, f"stands there twice in {line.currency}: one account for each currency"
            )
            return None
        limit = self._findings.money("accounts", number, "creditLimit", line.creditLimit, line.currency)
        if limit is not None and limit.minor < 0:
            self._findings.note("accounts", number, "creditLimit", "is below zero: write what may be overdrawn, such as 500.00")
        return Account(
            id=account_id(self._premises.tenant, line.pan or line.iban, line.currency),
            tenant=self._premises.tenant,
            kind=AccountKind.CARD if line.pan else AccountKind.PAYMENT,
            iban=line.iban,
            pan=line.pan,
            bic=line.bic,
            currency=line.currency,
            name=line.name,
            product=line.product,
            owner_name=line.ownerName,
            cash_account_type=line.cashAccountType,
            status=line.status,
            usage=line.usage,
            overdraft_minor=limit.minor if limit else 0,
            display_name=line.displayName,
            details=line.details,
            signatures_required=line.signaturesRequired,
            billing_day=line.billingDay,
            settles_with=self._settles_with(number, line),
        )

    def _settles_with(self, number: int, line: AccountLine) -> AccountId | None:
        if not line.pan:
            for column, value in (("settlesWith", line.settlesWith), ("billingDay", line.billingDay)):
                if value:
                    self._findings.note("accounts", number, column, "is for cards only: leave it out, or write a pan")
            return None
        if line.billingDay is None:
            self._findings.note("accounts", number, "billingDay", "is missing: a card is billed on a day from 1 to 28")
        payer = self.accounts.get((line.settlesWith, line.currency))
        if payer is None:
            text = f"is no account in {line.currency} of accounts: write the IBAN from which the card is paid"
            self._findings.note("accounts", number, "settlesWith", text)
            return None
        return payer.id

"""A TPP's tenant for tests of the portal: three personas, a joint account, messages, and a bank that can be down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from chassis.peers import PeerUnavailable
from psd2.money import Money
from sandbox.bank_client import UnknownBook
from sandbox.tenants.model import AccountBook, Balance, BookedAccount, Message, Movement, Persona, PersonaAccount

if TYPE_CHECKING:
    from psd2.authorisation_number import AuthorisationNumber

DAY = date(2026, 11, 20)
PASSWORD = "lagoon-grove-5909"
NEXT_PAGE = "2026-01-01.1"


def persona(psu: str, name: str, *ids: str) -> Persona:
    """Return a persona who holds these accounts."""
    held = tuple(PersonaAccount(id=one, iban=f"DE{one}", currency="EUR") for one in ids)
    return Persona(psu=psu, name=name, purpose=f"what {name} is for", password=PASSWORD, accounts=held)


def account(account_id: str, *, booked: str) -> BookedAccount:
    """Return an account with its balances."""
    amount = Money.parse(booked, "EUR")
    kinds = (("interimAvailable", False), ("interimAvailable", True), ("interimBooked", False))
    balances = tuple(Balance(kind=kind, amount=amount, with_credit_line=credit, on=DAY) for kind, credit in kinds)
    return BookedAccount(
        id=account_id,
        iban=f"DE{account_id}",
        currency="EUR",
        name=f"Account {account_id}",
        product="Current",
        balances=balances,
    )


def message(text: str, *, psu: str = "anna.weber") -> Message:
    """Return a message."""
    at = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    return Message(at=at, psu=psu, channel="sms", subject="Your one-time code", text=text)


def movement(amount: str, *, text: str = "Lunch", is_pending: bool = False) -> Movement:
    """Return a movement with a shop."""
    return Movement(
        id=f"m{amount}",
        amount=Money.parse(amount, "EUR"),
        booked_on=None if is_pending else DAY,
        value_on=DAY,
        counterparty="Bakery",
        counterparty_iban="",
        remittance=text,
        balance_after=None if is_pending else Money.parse("100", "EUR"),
    )


class TenantDataInMemory:
    """Every TPP's tenant looks alike; who asked for which is kept in `asked`."""

    def __init__(self) -> None:
        self.people: tuple[Persona, ...] = (
            persona("anna.weber", "Anna Weber", "1", "2"),
            persona("helga.lindner", "Helga Lindner", "3"),
            persona("nora.novak", "Nora Novak"),
        )
        self.books = {"1": account("1", booked="1234567.89"), "2": account("2", booked="-0.05"), "3": account("3", booked="7")}
        self.messages: list[Message] = []
        self.movements: tuple[Movement, ...] = (movement("-20.00"), movement("5.50", is_pending=True))
        self.is_down = False
        self.asked: list[str] = []

    def personas(self, number: AuthorisationNumber) -> tuple[Persona, ...]:
        self._ask(number)
        return self.people

    def accounts(self, number: AuthorisationNumber) -> tuple[BookedAccount, ...]:
        self._ask(number)
        return tuple(self.books.values())

    def book(self, number: AuthorisationNumber, account_id: str, *, page: str | None) -> AccountBook:
        self._ask(number)
        if account_id not in self.books or page not in {None, NEXT_PAGE}:
            raise UnknownBook(account_id)
        return AccountBook(
            account=self.books[account_id],
            booked=tuple(one for one in self.movements if one.booked_on is not None),
            pending=tuple(one for one in self.movements if one.booked_on is None),
            next_page=NEXT_PAGE if page is None else None,
        )

    def inbox(self, number: AuthorisationNumber, *, psu: str | None) -> tuple[Message, ...]:
        self._ask(number)
        return tuple(one for one in self.messages if psu in {None, one.psu})

    def rename(self, psu: str, *, name: str) -> None:
        """Change what a persona is called."""
        self.people = tuple(replace(one, name=name) if one.psu == psu else one for one in self.people)

    def _ask(self, number: AuthorisationNumber) -> None:
        if self.is_down:
            raise PeerUnavailable("bank", "connection refused", address="bank.internal:9005")
        self.asked.append(str(number))

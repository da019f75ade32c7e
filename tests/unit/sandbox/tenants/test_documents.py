"""What the bank says of a tenant, read into what pages show; the bank is the real one, without its network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.inbox.model import Channel, Message
from psd2.authorisation_number import AuthorisationNumber
from psd2.money import Money
from sandbox.answers import PeerRefused
from sandbox.bank_client import BankOverTheWire, UnknownBook
from sandbox.tenants.personalities import PersonalitiesOverTheWire
from tests.support.bank_core import ANNA, OTHER_TENANT, TENANT, copy_of, seed_bank
from tests.support.bank_sca import BankDesk

if TYPE_CHECKING:
    from pathlib import Path

NUMBER, OTHER = AuthorisationNumber.parse(TENANT), AuthorisationNumber.parse(OTHER_TENANT)


class Answer:
    """The part of a `PeerAnswer` that is read."""

    def __init__(self, status: int, content: bytes) -> None:
        self.status_code, self.content, self.text = status, content, content.decode()


class Wire:
    """A `PeerSession` whose peer is an application in this process."""

    def __init__(self, desk: BankDesk) -> None:
        self.client = desk.app.test_client()

    def get(self, path: str, *, params: dict[str, str | None] | None = None) -> Answer:
        query = {name: value for name, value in (params or {}).items() if value is not None}
        environ = {"chassis.caller": "portal"}
        answer = self.client.get(path, query_string=query, environ_overrides=environ)
        return Answer(answer.status_code, answer.data)

    def put(self, path: str, *, json: object) -> Answer:
        answer = self.client.put(path, json=json, environ_overrides={"chassis.caller": "portal"})
        return Answer(answer.status_code, answer.data)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> BankDesk:
    """Lend a seeded bank, which the tests of this module only read."""
    folder: Path = tmp_path_factory.mktemp("bank")
    (folder / "copy").mkdir()
    seed_bank(f"sqlite:///{folder / 'template.sqlite'}").database.engine.dispose()
    return BankDesk(copy_of(folder / "template.sqlite", folder / "copy"))


@pytest.fixture
def bank(desk: BankDesk) -> BankOverTheWire:
    wire: Any = Wire(desk)
    return BankOverTheWire(wire)


def test_personas_with_what_to_log_in(bank: BankOverTheWire, desk: BankDesk) -> None:
    """Login, password, purpose and accounts."""
    anna = next(one for one in bank.personas(NUMBER) if one.psu == ANNA)

    assert (anna.name, anna.password) == ("Anna Weber", desk.password)
    assert anna.purpose
    assert anna.accounts[0].iban == desk.iban()


def test_accounts_with_what_can_be_spent(bank: BankOverTheWire, desk: BankDesk) -> None:
    """What a credit line adds is in a balance of its own."""
    account, balances = desk.bank.account(ANNA), desk.bank.balances(desk.bank.account(ANNA))

    shown = next(one for one in bank.accounts(NUMBER) if one.id == account.id)

    available = shown.balance("interimAvailable")
    assert available is not None
    assert available.amount == balances.interim_available - balances.credit_limit
    assert not available.with_credit_line


def test_a_book_with_both_directions(bank: BankOverTheWire, desk: BankDesk) -> None:
    """The other side is named whether money came or went; older movements follow."""
    book = bank.book(NUMBER, desk.bank.account(ANNA).id, page=None)

    assert {movement.amount.minor > 0 for movement in book.booked} == {True, False}
    assert all(movement.counterparty and movement.booked_on for movement in book.booked)
    assert isinstance(book.booked[0].balance_after, Money)
    assert book.pending
    assert all(movement.booked_on is None and movement.balance_after is None for movement in book.pending)
    older = bank.book(NUMBER, book.account.id, page=book.next_page)
    assert not {one.id for one in book.booked} & {one.id for one in older.booked}


@pytest.mark.parametrize(
    ("number", "account", "page"), [(OTHER, None, None), (NUMBER, "../..", None), (NUMBER, "x", None), (NUMBER, None, "x")]
)
def test_a_book_that_is_not_this_tenants_is_unknown(
    bank: BankOverTheWire, desk: BankDesk, number: AuthorisationNumber, account: str | None, page: str | None
) -> None:
    """Another tenant's account, one that never was, a page that no page led to: all the same."""
    with pytest.raises(UnknownBook):
        bank.book(number, account or desk.bank.account(ANNA).id, page=page)


def test_messages_and_the_code_in_them(bank: BankOverTheWire, desk: BankDesk) -> None:
    """The code stands out of the text; a message without one has none."""
    deliver(desk, "Musterbank: your code is 123456. With it you pay 987654.00 EUR.")
    deliver(desk, "Musterbank: your statement 2026 is here.")

    assert [message.code for message in bank.inbox(NUMBER, psu=ANNA)] == [None, "123456"]
    assert bank.inbox(NUMBER, psu="jonas.brandt") == ()
    assert bank.inbox(OTHER, psu=None) == ()


def test_a_tenant_that_never_was_is_the_banks_no(bank: BankOverTheWire) -> None:
    """Which the caller hears, with the status."""
    with pytest.raises(PeerRefused) as refusal:
        bank.personas(AuthorisationNumber.parse("PSDDE-BAFIN-999999"))

    assert refusal.value.status == 404


def deliver(desk: BankDesk, text: str) -> None:
    message = Message(
        tenant=TENANT, psu=ANNA, at=datetime.now(UTC), channel=Channel.SMS, subject="Your one-time code", text=text
    )
    with desk.bank.database.writing() as connection:
        desk.bank.services.inbox.deliver(connection, message)


def test_a_personality_is_chosen_and_told(desk: BankDesk) -> None:
    """Which one, and all that there are, each with its settings; one that there is not is the bank's no."""
    wire: Any = Wire(desk)
    bank = PersonalitiesOverTheWire(wire)

    chosen = bank.choose(OTHER, "strict")
    assert (chosen.chosen, bank.choice(OTHER).chosen, bank.choice(NUMBER).chosen) == ("strict", "strict", "standard")
    assert chosen.personality is not None
    assert chosen.personality.settings["requests"]["signature"] == "required"
    with pytest.raises(PeerRefused, match="choose one of standard, strict"):
        bank.choose(OTHER, "nobody")

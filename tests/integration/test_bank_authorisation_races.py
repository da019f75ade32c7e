"""Steps of authorisations that meet, on real SQLite and PostgreSQL: approved once, by as many PSUs as it takes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from psd2.money import Money
from tests.support.at_once import at_once
from tests.support.bank_core import ANNA, TENANT, lent_bank
from tests.support.bank_sca import CONSENTS, PAYMENTS, BankDesk, consent_body
from tests.unit.bank_backend.authorisations.embedding import Embedding
from tests.unit.bank_backend.authorisations.test_several_signatures import (
    IGOR,
    PETRA,
    decide_at,
    invitation,
    links,
    payment,
    shared_iban,
    statuses,
)
from tests.unit.bank_backend.bankapp.app import decoupled_consent
from tests.unit.bank_backend.baskets.test_baskets import BASKETS, pay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from tests.support.databases import Databases

AT_ONCE = 5
ROUNDS = 5


@pytest.fixture
def desk(databases: Databases) -> Iterator[BankDesk]:
    """Lend a bank on each engine with everybody around it."""
    bank = lent_bank(databases)
    yield BankDesk(bank)
    bank.database.engine.dispose()


def statuses_of(answers: list[TestResponse | Exception]) -> Counter[int]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return Counter(answer.status_code for answer in answers if not isinstance(answer, Exception))


def test_the_right_code_sent_several_times_at_once_pays_once(desk: BankDesk) -> None:
    """One is taken, the others are told that it is finalised."""
    before = desk.bank.balances(desk.bank.account(ANNA)).interim_available
    flow = Embedding.of_payment(desk)
    flow.start()
    flow.method()
    code = desk.code()

    answers = at_once(*[lambda: flow.code(code)] * AT_ONCE)

    assert statuses_of(answers) == {200: 1, 409: AT_ONCE - 1}
    assert before - desk.bank.balances(desk.bank.account(ANNA)).interim_available == Money(1250, "EUR")


def test_a_psu_is_asked_no_more_often_by_asks_at_once(desk: BankDesk) -> None:
    """Eight asks are spent: of five more that come together two are taken, whichever."""
    for _ in range(8):
        decoupled_consent(desk)

    answers = at_once(*[lambda: desk.tpp.post(CONSENTS, consent_body(), TPP_Decoupled_Preferred="true", PSU_ID=ANNA)] * AT_ONCE)

    assert statuses_of(answers) == {201: 2, 403: AT_ONCE - 2}


def test_wrong_codes_at_once_are_all_counted(desk: BankDesk) -> None:
    """Three tries, however they are sent: the right code opens nothing afterwards."""
    flow = Embedding.of_payment(desk)
    flow.start()
    flow.method()
    code = desk.code()
    wrong = "000000" if code != "000000" else "111111"

    answers = at_once(*[lambda: flow.code(wrong)] * AT_ONCE)

    assert statuses_of(answers) == {401: 2, 400: AT_ONCE - 2}
    assert flow.code(code).status_code == 400
    assert flow.status() == "RCVD"


def test_of_two_signatories_at_once_the_second_is_the_last(desk: BankDesk) -> None:
    """Each sees the other's signature or is seen by it: every payment is executed, once."""
    desk.bank.services.personalities.choose(TENANT, "embedded")
    held = desk.bank.services.accounts.accounts_of(TENANT, PETRA)
    account = next(each for each in held if each.iban == shared_iban(desk))
    before = desk.bank.balances(account).interim_available
    resources = [links(payment(desk))["self"]["href"] for _ in range(ROUNDS)]

    answers = [answer for resource in resources for answer in _signed_at_once(desk, resource)]

    assert statuses_of(answers) == {200: 2 * ROUNDS}
    outcomes = [desk.tpp.get(f"{resource}/status").json["transactionStatus"] for resource in resources]  # type: ignore[index]
    assert outcomes == ["ACSC"] * ROUNDS
    assert before - desk.bank.balances(account).interim_available == Money(1250 * ROUNDS, "EUR")


def _signed_at_once(desk: BankDesk, resource: str) -> list[TestResponse | Exception]:
    """Have both signatories send their codes at the same instant."""
    flows = {psu: Embedding(desk, resource) for psu in (PETRA, IGOR)}
    for psu, flow in flows.items():
        flow.start(PSU_ID=psu)
        flow.password(psu)
    codes = {psu: desk.code(psu) for psu in flows}
    return at_once(*[lambda psu=psu, flow=flow: flow.code(codes[psu]) for psu, flow in flows.items()])


def test_a_signature_and_a_refusal_at_once_end_in_one_of_them(desk: BankDesk) -> None:
    """The second signatory's yes in one window and no in another: executed or rejected, never both."""
    made = payment(desk)
    resource = links(made)["self"]["href"]
    desk.decide(desk.begin("pis", made.json["paymentId"]), psu=PETRA)  # type: ignore[index]
    address = invitation(desk, resource)

    answers = at_once(
        *[lambda result=result: decide_at(desk, address, IGOR, result) for result in ("APPROVED", "REJECTED") * 2]
    )

    assert statuses_of(answers) == {200: 1, 409: 3}
    status = desk.tpp.get(f"{resource}/status").json["transactionStatus"]  # type: ignore[index]
    assert (status, sorted(statuses(desk, resource))) in [
        ("ACSC", ["finalised", "finalised"]),
        ("RJCT", ["failed", "finalised"]),
    ]


def test_two_browsers_approve_once(desk: BankDesk) -> None:
    """Two visits to one payment: whoever comes second finds it decided."""
    made = pay(desk)
    first = desk.begin("pis", made)
    second = desk.begin("pis", made)

    answers = at_once(lambda: desk.decide(first), lambda: desk.decide(second), lambda: desk.decide(second))

    assert statuses_of(answers) == {200: 1, 409: 2}
    assert desk.tpp.get(f"{PAYMENTS}/{made}/status").json["transactionStatus"] == "ACSC"  # type: ignore[index]


def test_a_payment_gets_into_one_basket(desk: BankDesk) -> None:
    """Several groupings of it at once: one basket is made."""
    made = pay(desk)

    answers = at_once(*[lambda: desk.tpp.post(BASKETS, {"paymentIds": [made]})] * AT_ONCE)

    assert statuses_of(answers) == {201: 1, 400: AT_ONCE - 1}


def test_a_basket_is_signed_once(desk: BankDesk) -> None:
    """Several approvals at once: its payments are made once."""
    before = desk.bank.balances(desk.bank.account(ANNA)).interim_available
    payments = [pay(desk, "10.00"), pay(desk, "20.00")]
    basket = desk.tpp.post(BASKETS, {"paymentIds": payments}).headers["Location"]
    desk.tpp.post(f"{basket}/authorisations", PSU_ID=ANNA, TPP_Decoupled_Preferred="true")
    address = invitation(desk, basket)

    answers = at_once(*[lambda: decide_at(desk, address, ANNA)] * AT_ONCE)

    assert statuses_of(answers) == {200: 1, 409: AT_ONCE - 1}
    assert before - desk.bank.balances(desk.bank.account(ANNA)).interim_available == Money(3000, "EUR")
    assert [desk.tpp.get(f"{PAYMENTS}/{each}/status").json["transactionStatus"] for each in payments] == ["ACSC"] * 2  # type: ignore[index]

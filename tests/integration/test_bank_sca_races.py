"""Decisions that meet, on real SQLite and PostgreSQL: one wins, the others are told; nothing is done twice."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bank_backend.consents.store import consents
from bank_backend.sca.method_store import SqlMethodStore
from bank_backend.sca.model import MethodType
from psd2.money import Money
from tests.support.bank_core import ANNA, TENANT, lent_bank
from tests.support.bank_sca import PAYMENTS, RETURN_URL, BankDesk, payment_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug.test import TestResponse

    from tests.support.databases import Databases

THREADS = 6


@pytest.fixture
def desk(databases: Databases) -> Iterator[BankDesk]:
    """Lend a bank on each engine with everybody around it."""
    bank = lent_bank(databases)
    yield BankDesk(bank)
    bank.database.engine.dispose()


def at_once(call: Callable[[int], TestResponse]) -> list[TestResponse]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(THREADS)))


def test_of_decisions_at_the_same_time_one_counts(desk: BankDesk) -> None:
    """Approvals and refusals of one payment together: one 200, else 409, and the money moves once or not at all."""
    before = desk.bank.balances(desk.bank.account(ANNA)).interim_available
    interaction = desk.begin("pis", desk.payment())

    answers = at_once(lambda place: desk.decide(interaction, result="REJECTED" if place % 2 else "APPROVED"))

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: 1, 409: THREADS - 1}
    (decided,) = [answer.json["status"] for answer in answers if answer.status_code == 200]  # type: ignore[index]
    after = desk.bank.balances(desk.bank.account(ANNA)).interim_available
    assert before - after == Money(1250 if decided == "approved" else 0, "EUR")


def test_copies_of_one_payment_at_the_same_time_are_one(desk: BankDesk) -> None:
    """Six copies under one X-Request-ID: one payment id."""
    request_id = str(uuid.uuid4())

    answers = at_once(lambda _: desk.tpp.post(PAYMENTS, payment_body(desk.iban()), X_Request_ID=request_id))

    assert [answer.status_code for answer in answers] == [201] * THREADS
    assert len({answer.json["paymentId"] for answer in answers}) == 1  # type: ignore[index]


def test_accesses_at_the_same_time_never_pass_the_frequency(desk: BankDesk) -> None:
    """Two a day, six at once: two are answered."""
    consent = desk.approved_consent(frequencyPerDay=2)

    answers = at_once(lambda _: desk.reader(consent).get("/v1/accounts", Consent_ID=consent, PSU_IP_Address=""))

    assert Counter(answer.status_code for answer in answers) == {200: 2, 429: THREADS - 2}


def test_codes_tried_at_the_same_time_are_all_counted(desk: BankDesk) -> None:
    """Six wrong codes at once are three attempts, and then it is over: nobody guesses in parallel."""
    payment = desk.payment()
    interaction = desk.begin("pis", payment)
    browser = desk.browser()
    browser.log_in(interaction, desk.password)
    browser.post(f"/psu/{interaction}/send")
    wrong = "000000" if desk.code() != "000000" else "111111"

    answers = at_once(lambda _: browser.post(f"/psu/{interaction}/confirm", code=wrong))

    # At most two pages with attempts left: the third attempt, and all after it, find the request closed.
    assert Counter(answer.status_code for answer in answers)[422] <= 2
    assert desk.bank.services.visits.interaction(interaction).status == "failed"
    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json["transactionStatus"] == "RJCT"  # type: ignore[index]
    browser.post(f"/psu/{interaction}/confirm", code=desk.code())
    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json["transactionStatus"] == "RJCT"  # type: ignore[index]


def test_a_step_of_an_authenticator_is_used_once(desk: BankDesk) -> None:
    """Whoever has looked before another used it finds it used: the store decides, not what was read."""
    with desk.bank.database.writing() as connection:
        store = SqlMethodStore()
        authenticator = next(each for each in store.of_psu(connection, TENANT, ANNA) if each.type is MethodType.TOTP)
        uses = [store.use_step(connection, authenticator.id, step) for step in (7, 7, 6, 8)]

    assert uses == [True, False, False, True]


def test_new_recurring_consents_at_the_same_time_leave_one(desk: BankDesk) -> None:
    """Of six recurring consents that a PSU approves at once for one TPP, the last stands alone (BG IG §6.3.1.1)."""
    consents = [desk.consent() for _ in range(THREADS)]
    visits = [desk.begin("ais", consent) for consent in consents]

    at_once(lambda place: desk.decide(visits[place]))

    standing = Counter(str(desk.bank.services.consents.consent(TENANT, each).status) for each in consents)
    assert standing == {"valid": 1, "terminatedByTpp": THREADS - 1}


def test_consents_made_and_decided_on_in_one_go_leave_one_too(desk: BankDesk) -> None:
    """Beside visits that are decided on at the same time: nobody waits for ever, and the last stands alone."""
    wanted = {"tenant": TENANT, "kind": "ais"}
    visit = {"client_id": TENANT, "client_name": "Fintech App", "return_url": RETURN_URL}
    decision = {"psu": ANNA, "result": "APPROVED"}
    visits = [desk.begin("ais", desk.consent()) for _ in range(THREADS // 2)]

    def decide(place: int) -> TestResponse:
        if place < len(visits):
            return desk.decide(visits[place])
        return desk.internal("POST", "/internal/grants", wanted | {"visit": visit, "decision": decision})

    assert Counter(answer.status_code for answer in at_once(decide)) == {200: len(visits), 201: THREADS - len(visits)}
    with desk.bank.database.reading() as connection:
        standing = connection.execute(select(consents.c.status).where(consents.c.tenant == TENANT)).scalars()
        assert Counter(standing) == {"valid": 1, "terminatedByTpp": THREADS - 1}

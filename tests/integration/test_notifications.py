"""Notifications to a real TPP's endpoint over real TLS, which fails, stalls, leads away and comes back; on both engines."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bank_backend.authorisations.model import ResourceKind
from bank_backend.notifications.addresses import AddressPolicy
from bank_backend.notifications.delivery import Delivery
from bank_backend.notifications.model import GIVE_UP_AFTER, MOST_WAITING, PAUSES, USUAL_CONTENT, State, Watch
from bank_backend.notifications.posting import Post, tls_context
from bank_backend.notifications.service import Changes
from bank_backend.notifications.store import SqlOutbox, SqlWatchStore, notifications
from bank_backend.schedule.wiring import create_schedule
from tests.support.at_once import at_once
from tests.support.bank_core import OTHER_TENANT, TENANT, SeededBank, lent_bank
from tests.support.notification_receiver import HOST, REFUSE, Receiver
from tests.support.pki import Authority
from tests.support.ports import wait_until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from bank_backend.notifications.model import Notification
    from psd2.ids import TenantId
    from tests.support.databases import Databases

POLICY = AddressPolicy(allows_loopback=True, own_ports=frozenset())
AUTHORITY = Authority()


@pytest.fixture
def bank(databases: Databases) -> Iterator[SeededBank]:
    """Lend a bank on each engine."""
    lent = lent_bank(databases)
    yield lent
    lent.database.engine.dispose()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Lend a TPP's endpoint, with a certificate of an authority that the bank trusts."""
    started = Receiver().start(AUTHORITY, tmp_path)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    bundle = tmp_path_factory.mktemp("trust") / "trust.pem"
    bundle.write_text(AUTHORITY.pem)
    return tls_context(bundle)


def delivery(bank: SeededBank, context: ssl.SSLContext, *, policy: AddressPolicy = POLICY) -> Delivery:
    sender = Post(context=context, policy=policy)
    return Delivery(database=bank.database, outbox=SqlOutbox(), sender=sender, clock=bank.clock)


def change(bank: SeededBank, uri: str, *statuses: str, resource: str = "r1", tenant: TenantId = TENANT) -> None:
    """Commit changes of a consent that is watched, each in a transaction of its own."""
    watch = Watch(
        tenant=tenant,
        kind=ResourceKind.AIS,
        resource=resource,
        path=f"/v1/consents/{resource}",
        uri=uri,
        content=USUAL_CONTENT,
        refusal=None,
    )
    changes = Changes(watches=SqlWatchStore(), outbox=SqlOutbox(), schedule=create_schedule(), clock=bank.clock)
    for status in statuses:
        with bank.database.writing() as connection:
            changes.process(connection, watch, status, is_last=False)


def listed(bank: SeededBank, tenant: TenantId = TENANT) -> list[Notification]:
    """Return the tenant's notifications, oldest first."""
    with bank.database.reading() as connection:
        return SqlOutbox().newest(connection, tenant)[::-1]


def test_a_change_reaches_the_tpp_as_the_specification_says(
    bank: SeededBank, receiver: Receiver, context: ssl.SSLContext
) -> None:
    """POST to the address that was given, JSON, with an X-Request-ID of its own."""
    change(bank, receiver.uri + "?mine=1", "valid")

    assert delivery(bank, context).run_due() == 1

    (came,), (kept,) = receiver.received, listed(bank)
    assert (came.path, came.body) == ("/notifications?mine=1", {"consentId": "r1", "consentStatus": "valid"})
    assert came.headers["content-type"] == "application/json"
    assert came.headers["host"] == f"{HOST}:{receiver.port}"
    assert came.headers["x-request-id"] == kept.request_id
    assert (kept.state, kept.attempts, kept.outcome) == (State.DELIVERED, 1, "answered 200")


def test_what_is_not_taken_is_sent_again_in_its_order(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext) -> None:
    """While the first one fails, the second waits behind it; under the same X-Request-ID the TPP knows a repetition."""
    receiver.answers = [REFUSE, REFUSE]
    change(bank, receiver.uri, "valid", "expired")
    sending = delivery(bank, context)

    tries = []
    for pause in (timedelta(0), PAUSES[0], PAUSES[1]):
        bank.clock.advance(pause)
        tries.append(sending.run_due())

    assert tries == [1, 1, 2]
    assert receiver.told == ["valid", "valid", "valid", "expired"]
    assert len({each.headers["x-request-id"] for each in receiver.received}) == 2
    assert [(each.state, each.attempts) for each in listed(bank)] == [(State.DELIVERED, 3), (State.DELIVERED, 1)]


def test_the_pauses_grow_and_end(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext) -> None:
    """A receiver that is gone is asked ever more rarely, and after a day not any more; the next one has its turn then."""
    receiver.usual = REFUSE
    change(bank, receiver.uri, "valid")
    sending, moments = delivery(bank, context), []
    for _ in range(100):
        if sending.run_due():
            moments.append(bank.clock.now())
        (one,) = listed(bank)
        if one.state is State.ABANDONED:
            break
        bank.clock.advance(one.next_at - bank.clock.now())

    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert tuple(pauses[: len(PAUSES)]) == PAUSES
    assert max(pauses) == PAUSES[-1]
    assert one.state is State.ABANDONED
    assert GIVE_UP_AFTER - PAUSES[-1] <= moments[-1] - moments[0] <= GIVE_UP_AFTER
    assert one.outcome == "answered 503"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext, status: int) -> None:
    """An address that was checked must not lead to one that was not."""
    receiver.answers = [status]
    change(bank, receiver.uri, "valid")

    delivery(bank, context).run_due()

    assert [each.path for each in receiver.received] == ["/notifications"]
    assert (listed(bank)[0].state, listed(bank)[0].outcome) == (State.WAITING, f"answered {status}")


def test_a_receiver_that_stalls_is_left_in_time(
    bank: SeededBank, receiver: Receiver, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bank_backend.notifications.posting._DEADLINE_SECONDS", 0.5)
    receiver.answers = [receiver.stall]
    change(bank, receiver.uri, "valid")
    began = time.monotonic()

    delivery(bank, context).run_due()

    assert time.monotonic() - began < 20
    assert listed(bank)[0].state is State.WAITING
    assert str(listed(bank)[0].outcome).startswith("no answer within")


def test_an_answer_that_drips_is_left_in_time(
    bank: SeededBank, receiver: Receiver, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is for the whole of it, not for each byte."""

    def drip(handler: object) -> None:
        for _ in range(300):
            handler.wfile.write(b"H")  # type: ignore[attr-defined]
            handler.wfile.flush()  # type: ignore[attr-defined]
            time.sleep(0.1)

    monkeypatch.setattr("bank_backend.notifications.posting._DEADLINE_SECONDS", 0.5)
    receiver.answers = [drip]
    change(bank, receiver.uri, "valid")
    began = time.monotonic()

    delivery(bank, context).run_due()

    assert time.monotonic() - began < 20
    assert listed(bank)[0].state is State.WAITING


def test_a_receiver_that_is_down_gets_it_when_it_is_back(bank: SeededBank, context: ssl.SSLContext, tmp_path: Path) -> None:
    gone = Receiver().start(AUTHORITY, tmp_path)
    gone.stop()
    change(bank, gone.uri, "valid")
    sending = delivery(bank, context)
    sending.run_due()
    assert str(listed(bank)[0].outcome).startswith("no connection")

    back = Receiver()
    back.start(AUTHORITY, tmp_path)
    # The port is another one: what counts is that the bank tries again.
    with bank.database.writing() as connection:
        connection.execute(notifications.update().values(uri=back.uri))
    bank.clock.advance(PAUSES[0])
    sending.run_due()
    back.stop()

    assert back.told == ["valid"]


@pytest.mark.parametrize(
    ("authority", "name", "reason"),
    [
        (Authority("Nobody's"), HOST, "unable to get local issuer certificate|self-signed"),
        (AUTHORITY, "other.example", "Hostname mismatch"),
    ],
    ids=["untrusted", "another-name"],
)
def test_a_receiver_must_prove_that_it_is_the_one(
    bank: SeededBank, context: ssl.SSLContext, tmp_path: Path, *, authority: Authority, name: str, reason: str
) -> None:
    """What is sent tells of a PSU's consents and payments: nobody else may read it."""
    other = Receiver().start(authority, tmp_path, name)
    change(bank, other.uri, "valid")
    delivery(bank, context).run_due()
    other.stop()

    assert other.received == []
    assert re.search(f"certificate is not trusted: .*({reason})", str(listed(bank)[0].outcome))


def test_what_a_name_means_is_judged_at_each_try(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext) -> None:
    """It was allowed when the resource was made; since then the operator, or the name, has changed."""
    change(bank, receiver.uri, "valid")
    inside = AddressPolicy(allows_loopback=False, own_ports=frozenset())

    delivery(bank, context, policy=inside).run_due()

    assert receiver.received == []
    assert "not an address of the public internet" in str(listed(bank)[0].outcome)


def test_a_bank_that_is_killed_before_it_sends_has_lost_nothing(
    bank: SeededBank, receiver: Receiver, context: ssl.SSLContext
) -> None:
    """The change is committed, the process is gone: another one sends it."""
    change(bank, receiver.uri, "valid")
    bank.database.engine.dispose()

    delivery(bank, context).run_due()

    assert receiver.told == ["valid"]


def test_one_that_is_killed_while_it_sends_is_replaced(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext) -> None:
    """At least once: its lease ends, and another process sends the same again."""
    change(bank, receiver.uri, "valid")
    killed = delivery(bank, context)
    (taken,) = killed._take(4)
    Post(context=context, policy=POLICY).send(taken)
    other = delivery(bank, context)

    assert other.run_due() == 0
    bank.clock.advance(timedelta(seconds=61))
    assert other.run_due() == 1

    first, second = receiver.received
    assert first.headers["x-request-id"] == second.headers["x-request-id"]
    assert listed(bank)[0].state is State.DELIVERED


def test_processes_that_deliver_together_send_each_once(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext) -> None:
    """Six of them on the same outbox: no notification twice, each resource's in its order."""
    for number in range(5):
        change(bank, receiver.uri, "received", "valid", "expired", resource=f"r{number}")

    at_once(*[lambda: delivery(bank, context).run_due()] * 6)
    delivery(bank, context).run_due()

    assert len({each.headers["x-request-id"] for each in receiver.received}) == len(receiver.received) == 15
    for number in range(5):
        told = [each.body["consentStatus"] for each in receiver.received if each.body["consentId"] == f"r{number}"]
        assert told == ["received", "valid", "expired"]


def test_one_tpps_receiver_that_stalls_holds_up_nobody_else(
    bank: SeededBank, receiver: Receiver, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """Two of four places are the most that one TPP gets."""
    stalled = Receiver()
    stalled.answers = [stalled.stall] * 10
    stalled.start(AUTHORITY, tmp_path)
    for number in range(6):
        change(bank, stalled.uri, "valid", resource=f"s{number}")
    change(bank, receiver.uri, "valid", tenant=OTHER_TENANT)
    sending = delivery(bank, context)

    began = sending.run_pass()
    wait_until(lambda: bool(receiver.received), seconds=60, what="the other TPP's notification")

    assert (began, receiver.told) == (3, ["valid"])
    assert sending.run_pass() == 0
    stalled.stop()


def test_what_waits_for_a_tpp_is_bounded(bank: SeededBank) -> None:
    """A receiver that is gone for good must not fill the bank's disk; what is too much says so."""
    uri = f"https://{HOST}:9/notifications"
    with bank.database.writing() as connection:
        connection.execute(
            notifications.insert(),
            [
                {
                    "request_id": f"{number:036}",
                    "tenant": TENANT,
                    "resource": "r0",
                    "uri": uri,
                    "body": {},
                    "state": State.WAITING.value,
                    "attempts": 0,
                    "created_at": 0.0,
                    "next_at": 0.0,
                    "leased_until": 0.0,
                }
                for number in range(MOST_WAITING)
            ],
        )
    change(bank, uri, "valid")

    assert listed(bank)[-1].state is State.ABANDONED
    assert listed(bank)[-1].outcome == "1000 notifications are waiting already"


def test_what_was_settled_long_ago_is_forgotten(bank: SeededBank, receiver: Receiver, context: ssl.SSLContext) -> None:
    """The last 200 can be looked at; what waits is never forgotten."""
    for number in range(3):
        change(bank, receiver.uri, *["valid"] * 70, resource=f"r{number}")
    delivery(bank, context).run_due()

    with bank.database.reading() as connection:
        left = connection.execute(select(notifications.c.number)).all()
    assert len(left) == 200
    assert len(receiver.received) == 210

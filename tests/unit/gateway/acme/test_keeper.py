"""The keeper: what comes of an order is put in force or told, once, and the version in force stays where it fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from chassis.home import Home
from chassis.sealing import KeyFile, Seal
from gateway.acme.keeper import LEASE, AcmeKeeper
from gateway.acme.kind import ACME_ACCOUNTS, ACME_CERTIFICATES
from gateway.acme.model import Obtained, OpenOrder, OrderFailed
from gateway.acme.store import SqlAcme, SqlChallenges
from gateway.certificates.expiry import watched_certificates
from gateway.certificates.kind import CERTIFICATES
from gateway.certificates.server_names import SERVER_NAMES
from gateway.configuration.changes import Change
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from gateway.tables.acme import acme_accounts, acme_progress
from psd2.clock import FixedClock
from tests.support.pki import DAY
from tests.support.stored_certificates import ISSUING, NOW, key_pem, version
from tests.unit.gateway.acme.test_documents import ACCOUNT, CERTIFICATE, DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

    from gateway.acme.model import AcmeAccount, AcmeCertificate
    from tests.support.pki import Issued


def issued(*, days: int = 0, names: Sequence[str] = CERTIFICATE["names"]) -> Issued:
    """Make a certificate for ninety days from so many on."""
    return ISSUING.server(*names, not_before=NOW + days * DAY, not_after=NOW + (days + 90) * DAY)


@dataclass
class ScriptedCa:
    """Answers each order with what comes next: a certificate, or why there is none."""

    next: Callable[[], Issued] | Exception = field(default_factory=lambda: issued)
    suggests: datetime | None = None
    orders: int = 0
    asked: int = 0

    def obtain(self, account: AcmeAccount, wanted: AcmeCertificate) -> Obtained:
        assert (account.directory, wanted.name) == (DIRECTORY, "shop")
        self.orders += 1
        if isinstance(self.next, Exception):
            raise self.next
        made = self.next()
        return Obtained(chain_pem=made.pem, key_pem=key_pem(made))

    def renewal(self, account: AcmeAccount, leaf_pem: str) -> tuple[datetime | None, datetime]:
        assert account.directory == DIRECTORY
        assert leaf_pem.startswith("-----BEGIN CERTIFICATE")
        self.asked += 1
        return self.suggests, NOW + DAY


@dataclass
class Gateway:
    """A keeper and all that it works on."""

    keeper: AcmeKeeper
    ca: ScriptedCa
    kept: SqlAcme
    configuration: Configuration
    clock: FixedClock

    def put(self, kind: str, name: str, body: dict[str, Any] | None) -> None:
        self.configuration.apply([Change(kind=kind, name=name, body=body)])

    @property
    def in_force(self) -> str | None:
        stored = self.configuration.snapshot().of(CERTIFICATES).get("shop")
        return stored.current.sha256 if stored else None

    @property
    def failure(self) -> str:
        return self.kept.progress("shop").failure or ""


@pytest.fixture
def gateway(engine: Engine, tmp_path: Path) -> Gateway:
    """Lend a gateway that wants a certificate."""
    clock, ca = FixedClock(NOW), ScriptedCa()
    configuration = Configuration(kinds=KINDS, store=SqlConfigurationStore(engine), clock=clock)
    kept = SqlAcme(engine, Seal(KeyFile(tmp_path / "key")))
    keeper = AcmeKeeper(configuration=configuration, keeping=kept, ordering=ca, clock=clock, random=lambda: 0.5)
    gateway = Gateway(keeper, ca, kept, configuration, clock)
    gateway.put(ACME_ACCOUNTS.name, "public", ACCOUNT)
    gateway.put(ACME_CERTIFICATES.name, "shop", CERTIFICATE)
    return gateway


def test_a_certificate_is_ordered_once_and_renewed_in_its_time(gateway: Gateway) -> None:
    """The one before stays as the way back."""
    assert gateway.keeper.keep_due() == 1
    first = gateway.in_force
    assert [gateway.keeper.keep_due() for _ in range(3)] == [0, 0, 0]
    gateway.clock.advance(61 * DAY)
    gateway.ca.next = lambda: issued(days=61)
    assert gateway.keeper.keep_due() == 1
    stored = gateway.configuration.snapshot().of(CERTIFICATES)["shop"]
    assert [each.sha256 == first for each in stored.versions] == [False, True]
    assert gateway.ca.orders == 2


def test_where_an_order_fails_the_version_in_force_stays(gateway: Gateway) -> None:
    """It is told why, waited for, and mended without a trace."""
    gateway.keeper.keep_due()
    before = gateway.in_force
    gateway.clock.advance(61 * DAY)
    gateway.ca.next = OrderFailed("the CA could not verify shop.example")
    for failures in (1, 2, 3):
        assert gateway.keeper.keep_due() == 0
        assert gateway.keeper.keep_due() == 0
        progress = gateway.kept.progress("shop")
        assert (progress.failures, progress.failure) == (failures, "the CA could not verify shop.example")
        assert progress.next_try_at == gateway.clock.now() + timedelta(minutes=5 * 2 ** (failures - 1))
        gateway.clock.advance(progress.next_try_at - gateway.clock.now())
    assert (gateway.in_force, gateway.ca.orders) == (before, 4)
    gateway.ca.next = lambda: issued(days=61)
    assert gateway.keeper.keep_due() == 1
    assert gateway.failure == ""
    assert gateway.in_force != before


def test_whatever_goes_wrong_the_next_try_waits(gateway: Gateway) -> None:
    """A fault of our own must not wear out the CA's patience either."""
    gateway.ca.next = RuntimeError("unforeseen")
    assert [gateway.keeper.keep_due() for _ in range(3)] == [0, 0, 0]
    assert gateway.ca.orders == 1
    assert "unforeseen" in gateway.failure


def test_a_certificate_that_does_not_fit_is_not_put_in_force(gateway: Gateway) -> None:
    """Here: one without a name that is shown by it."""
    gateway.keeper.keep_due()
    before = gateway.in_force
    names = {"names": ["shop.example"], "listeners": ["front"], "certificate": "shop"}
    gateway.put(SERVER_NAMES.name, "shop", names)
    gateway.clock.advance(61 * DAY)
    gateway.ca.next = lambda: issued(days=61, names=["other.example"])
    assert gateway.keeper.keep_due() == 0
    assert gateway.in_force == before
    assert "can't be put in force" in gateway.failure
    assert "shop.example is no DNS name" in gateway.failure


def test_a_change_of_what_is_wanted_is_tried_at_once(gateway: Gateway) -> None:
    gateway.ca.next = OrderFailed("no")
    gateway.keeper.keep_due()
    gateway.put(ACME_CERTIFICATES.name, "shop", CERTIFICATE | {"names": ["shop.example"]})
    gateway.ca.next = lambda: issued(names=["shop.example"])
    assert gateway.keeper.keep_due() == 1


def test_who_has_died_with_it_is_followed_when_its_time_is_over(gateway: Gateway) -> None:
    assert gateway.kept.is_leased("shop", until=NOW + LEASE, now=NOW)
    assert gateway.keeper.keep_due() == 0
    gateway.clock.advance(LEASE)
    assert gateway.keeper.keep_due() == 1


def test_what_somebody_else_has_taken_on_meanwhile_is_left_to_them(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lease."""
    monkeypatch.setattr(gateway.kept, "is_leased", lambda _name, **_times: False)
    assert gateway.keeper.keep_due() == 0
    assert gateway.ca.orders == 0


def test_certificates_that_are_due_at_once_are_not_ordered_without_end(gateway: Gateway) -> None:
    """Here: from a CA that issues the same one again and again, five days before its end."""
    gateway.ca.next = lambda: issued(days=-85)
    assert [gateway.keeper.keep_due() for _ in range(3)] == [1, 0, 0]
    gateway.clock.advance(timedelta(hours=1))
    assert [gateway.keeper.keep_due() for _ in range(3)] == [1, 0, 0]


def test_an_order_that_has_come_to_its_end_is_not_gone_on_with(gateway: Gateway) -> None:
    """Whoever died between putting the certificate in force and forgetting the order would get the old one again."""
    old = issued()
    gateway.ca.next = lambda: old
    gateway.keeper.keep_due()
    gateway.kept.keep_order("shop", OpenOrder(directory=DIRECTORY, url="https://acme.example/1", key_pem=key_pem(old)))
    gateway.clock.advance(61 * DAY)
    gateway.ca.next = OrderFailed("no")
    gateway.keeper.keep_due()
    assert gateway.kept.open_order("shop") is None


def test_the_ca_may_ask_for_an_earlier_renewal(gateway: Gateway) -> None:
    gateway.ca.suggests = NOW + 2 * DAY
    assert [gateway.keeper.keep_due() for _ in range(2)] == [1, 0]
    assert gateway.ca.asked == 1
    gateway.clock.advance(2 * DAY)
    gateway.ca.next = issued
    assert gateway.keeper.keep_due() == 1


def test_what_is_wanted_no_more_is_forgotten(gateway: Gateway) -> None:
    """The certificate itself stays."""
    gateway.keeper.keep_due()
    gateway.put(ACME_CERTIFICATES.name, "shop", None)
    gateway.keeper.keep_due()
    assert gateway.kept.progress("shop").sha256 is None
    assert gateway.in_force is not None


def test_it_is_spoken_of_as_one_that_renews_itself(gateway: Gateway, tmp_path: Path) -> None:
    """Of a certificate that is always renewed thirty days before its end, nobody wants to hear at thirty days."""
    gateway.keeper.keep_due()
    gateway.put(CERTIFICATES.name, "other", {"versions": [version(issued())]})
    watched = watched_certificates(Home(tmp_path), gateway.configuration.snapshot(), lambda _store: ())
    assert {(each.place, each.renews_itself) for each in watched} == {
        ("certificates/shop", True),
        ("certificates/other", False),
    }


def test_keys_are_sealed_in_the_database(gateway: Gateway, engine: Engine) -> None:
    """Of accounts and of open orders; what is read back is what was kept, and the first to come is who made it."""
    key = key_pem(ISSUING.server("shop.example"))
    gateway.keeper.keep_due()
    assert gateway.kept.keep_account_key("public", DIRECTORY, key, NOW) == (key, None)
    assert gateway.kept.keep_account_key("public", DIRECTORY, "another", NOW) == (key, None)
    order = OpenOrder(directory=DIRECTORY, url="https://acme.example/1", key_pem=key)
    gateway.kept.keep_order("shop", order)
    with engine.connect() as connection:
        stored = [*connection.scalars(select(acme_accounts.c.key)), *connection.scalars(select(acme_progress.c.order_key))]
    assert len(stored) == 2
    assert all(b"PRIVATE KEY" not in each for each in stored)
    assert gateway.kept.open_order("shop") == order
    assert "PRIVATE KEY" not in repr(order)


def test_answers_count_for_their_time(gateway: Gateway, engine: Engine) -> None:
    challenges = SqlChallenges(engine)
    gateway.kept.publish({"one": "one.x"}, until=NOW + DAY, now=NOW)
    gateway.kept.publish({"two": "two.x"}, until=NOW + 3 * DAY, now=NOW)
    assert challenges.answers(NOW) == {"one": "one.x", "two": "two.x"}
    assert challenges.answers(NOW + 2 * DAY) == {"two": "two.x"}
    gateway.kept.withdraw(["two"])
    assert challenges.answers(NOW) == {"one": "one.x"}


def test_progress_is_read_as_it_was_noted(gateway: Gateway) -> None:
    gateway.keeper.keep_due()
    progress = replace(gateway.kept.progress("shop"), failures=2, failure="x" * 5_000, renew_at=NOW + DAY)
    gateway.kept.note(progress)
    assert gateway.kept.progress("shop") == replace(progress, failure="x" * 1_000)

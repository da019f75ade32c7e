"""What the register of TPPs is told at the same instant: on each engine as if one had come after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert

from psd2.clock import FixedClock
from sandbox.ca.errors import IssuingLimitReached
from sandbox.ca.model import IssuedCertificate, TppCertificateKind
from sandbox.ca.quota import IssuingLimits
from sandbox.ca.store import CertificateStore
from sandbox.database import organisations, tpps
from sandbox.tpps.applications import RegisterLimits
from sandbox.tpps.errors import RegisterFull, RegistrationConflict
from sandbox.tpps.model import TppStatus
from sandbox.tpps.store import SqlTppStore
from sandbox.trust.store import SqlDeliveries
from tests.support.at_once import at_once
from tests.support.certificate_authority import TPP, setting
from tests.support.register import NOW, ROOMY, RegisterWorld, registration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from sandbox.tpps.model import Tpp
    from tests.support.databases import Databases

THREADS, ROUNDS = 6, 12


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("sandbox") as engine:
        yield engine


def tpp(number: int) -> Tpp:
    wanted = registration(name=f"acme-{number}", authorisation_number=f"PSDDE-BAFIN-{number}")
    return RegisterWorld().register.register_new(wanted).tpp


def test_a_number_is_registered_once(engine: Engine) -> None:
    """By six applicants at once: one has it, the others are told."""
    store = SqlTppStore(engine)
    for number in range(ROUNDS):
        added = at_once(*[partial(store.add, tpp(number), limits=ROOMY)] * THREADS)

        assert Counter(type(each) for each in added) == {type(None): 1, RegistrationConflict: THREADS - 1}


def test_no_limit_of_the_register_is_overshot(engine: Engine) -> None:
    """By registrations through as many stores as there are applicants, each the portal's or a command's own."""
    limits = RegisterLimits(all=4, per_organisation=4)
    for round_ in range(ROUNDS):
        applicants = [tpp(THREADS * round_ + each) for each in range(THREADS)]
        added = at_once(*[partial(SqlTppStore(engine).add, each, limits=limits) for each in applicants])

        assert Counter(type(each) for each in added) == {type(None): 4, RegisterFull: THREADS - 4}
        start_anew(engine)


def test_no_limit_of_an_organisation_is_overshot_by_claims(engine: Engine) -> None:
    """Each of another TPP: no row is there that two of them would have to share."""
    limits = RegisterLimits(all=100, per_organisation=4)
    with engine.begin() as connection:
        connection.execute(insert(organisations).values(id="ours", name="Ours", created_at=1.0))
    for round_ in range(ROUNDS):
        unclaimed = [tpp(THREADS * round_ + each) for each in range(THREADS)]
        for each in unclaimed:
            SqlTppStore(engine).add(each, limits=ROOMY)
        claims = at_once(*[partial(SqlTppStore(engine).claim, each, "ours", limits=limits) for each in unclaimed])

        assert Counter(each if each is True else type(each) for each in claims) == {True: 4, RegisterFull: THREADS - 4}
        start_anew(engine)


def start_anew(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(tpps))


def test_a_tpp_gets_no_more_certificates_than_its_limit(engine: Engine, tmp_path: Path) -> None:
    """From as many authorities on one database as there are requests: the portal's, and commands' beside it."""
    standing = setting(tmp_path, records=CertificateStore(engine))
    standing.authority.ensure_hierarchy()
    authorities = [standing.restarted(limits=IssuingLimits(per_day=4, unexpired=100)) for _ in range(THREADS)]
    for number in range(ROUNDS):
        firm = replace(TPP, authorisation_number=f"PSDDE-BAFIN-{number}", name=f"firm-{number}")
        issued = at_once(*[partial(each.issue_tpp_certificate, tpp=firm, kind=TppCertificateKind.QWAC) for each in authorities])

        assert Counter(type(each) for each in issued) == {IssuedCertificate: 4, IssuingLimitReached: THREADS - 4}


def test_a_registration_is_finished_once(engine: Engine) -> None:
    """Of several that finish it at once, one gets the certificates."""
    store = SqlTppStore(engine)
    for number in range(ROUNDS):
        begun = replace(tpp(number), status=TppStatus.REGISTERING)
        store.add(begun, limits=ROOMY)

        assert Counter(at_once(*[partial(store.activate, begun)] * THREADS)) == {True: 1, False: THREADS - 1}


def test_a_tpp_leaves_once(engine: Engine) -> None:
    """Taken out by several at once: gone, and none fails."""
    store = SqlTppStore(engine)
    for number in range(ROUNDS):
        leaving = tpp(number)
        store.add(leaving, limits=ROOMY)

        assert at_once(*[partial(store.remove, leaving, at=NOW.timestamp())] * THREADS) == [None] * THREADS
        assert store.find(leaving.name) is None


def test_the_portal_and_a_command_acknowledge_the_same_delivery(engine: Engine) -> None:
    """The first of its subject, which no row stands for yet, and every later one."""
    deliveries = SqlDeliveries(engine, FixedClock(NOW))
    for number in range(ROUNDS):
        noted = at_once(*[partial(deliveries.acknowledge, f"crl:{number // 2}", f"{number:064x}")] * THREADS)

        assert noted == [None] * THREADS
        assert deliveries.acknowledged(f"crl:{number // 2}") == f"{number:064x}"

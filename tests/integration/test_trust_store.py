"""What trust keeps, on both databases: answers of responders, addresses of lists, and lists."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from chassis.sql.database import for_reading
from gateway.tables.configuration import changes
from gateway.trust.crl_points import SqlCrlPoints
from gateway.trust.ocsp_status import Answer, OcspStatus
from gateway.trust.ocsp_store import SqlOcspAnswers
from gateway.trust.service import Trust
from gateway.trust.snapshot_store import read_snapshot
from gateway.trust.store import SqlTrustStore
from psd2.clock import FixedClock
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
KEY = "tpp:leaf:issuer"


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """Lend a migrated gateway database."""
    with databases.opened("gateway") as engine:
        yield engine


def said(verdict: Answer, *, as_of: dt.datetime = NOW, until: dt.datetime = NOW + DAY) -> OcspStatus:
    seconds = until.timestamp()
    return OcspStatus(
        verdict=verdict, as_of=as_of.timestamp(), known_until=seconds, refresh_at=seconds - 60, responder="http://ocsp.example/"
    )


def told(engine: Engine) -> list[tuple[str, str]]:
    with for_reading(engine).connect() as connection:
        return [(row.kind, row.key) for row in connection.execute(select(changes).order_by(changes.c.id))]


def test_an_answer_is_kept_and_its_turn_told(engine: Engine) -> None:
    """A good one is news to nobody; what differs from the one before is."""
    answers = SqlOcspAnswers(engine)
    answers.keep(KEY, said(Answer.GOOD), NOW)
    assert told(engine) == []

    revoked = said(Answer.REVOKED, as_of=NOW + DAY / 24)
    assert answers.keep(KEY, revoked, NOW) == answers.read(KEY) == revoked
    assert answers.keep(KEY, said(Answer.GOOD), NOW) == revoked
    assert told(engine) == [("ocsp", KEY)]


def test_old_answers_go_and_revocations_stay(engine: Engine) -> None:
    """A revoked certificate is refused as long as it could be used."""
    answers = SqlOcspAnswers(engine)
    for key, verdict in (("good", Answer.GOOD), ("revoked", Answer.REVOKED)):
        answers.keep(key, said(verdict), NOW)

    assert [answers.prune(NOW + 2 * DAY, 10) for _ in range(2)] == [1, 0]
    assert (answers.read("good"), answers.read("revoked")) == (None, said(Answer.REVOKED))


def test_one_of_many_fetches_an_address(engine: Engine) -> None:
    """Each replica has a keeper."""
    points = SqlCrlPoints(engine)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: points.name("partners", ["http://crl.example/"], NOW), range(4)))
        (point,) = points.due(NOW)
        claimed = list(pool.map(lambda _: points.is_claimed(point, until=NOW + DAY, now=NOW), range(4)))

    assert claimed.count(True) == 1
    assert points.due(NOW) == []


def test_a_list_says_how_long_it_is(engine: Engine) -> None:
    """Without reading it; the same list again is no change."""
    authority = Authority()
    trust = Trust(store=SqlTrustStore(engine), clock=FixedClock(NOW))
    trust.replace("tpp", anchors=[authority.pem], intermediates=[])
    leaves = [authority.qwac() for _ in range(3)]
    der = authority.crl(*leaves, number=2**150).public_bytes(Encoding.DER)
    for _ in range(2):
        trust.take_crl("tpp", der)

    (crl,) = trust.lists("tpp")
    assert (crl.number, crl.entries, crl.source) == (2**150, 3, "pushed")
    assert told(engine) == [("trust_store", "tpp"), ("crl", "tpp")]
    assert leaves[0].certificate.serial_number in read_snapshot(engine, "tpp").crls[crl.issuer].revoked

"""Documents are judged before the lock that all changes of trust share: however many there are, a block does not wait."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.configuration.changes import Change, Precondition, PreconditionFailed
from gateway.configuration.model import Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.configured import PLANS, SHOPS, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from gateway.configuration.model import Document
    from gateway.configuration.store import SqlChange

DEADLINE_SECONDS = 30
BATCH = [Change(kind="plans", name=f"p{number}", body={"rate": 1}) for number in range(3)]


class Parsing:
    """The plans' kind, noting what is parsed; `before` is called ahead of each."""

    def __init__(self) -> None:
        self.before: Callable[[], object] = lambda: None
        self.count = 0
        self.kinds = Kinds((replace(PLANS, parse=self._parse), SHOPS))

    def _parse(self, document: Document) -> Plan:
        self.before()
        self.count += 1
        return PLANS.parse(document)


class Locking(SqlConfigurationStore):
    """A store that calls `before` when somebody is about to take the lock, and `inside` once it is held."""

    before: Callable[[], object] = staticmethod(lambda: None)
    inside: Callable[[], object] = staticmethod(lambda: None)

    @contextmanager
    def changing(self, *, dry_run: bool) -> Iterator[SqlChange]:
        self.before()
        with super().changing(dry_run=dry_run) as unit:
            self.inside()
            yield unit


def is_blocked_while_a_batch_is_parsed(engine: Engine) -> bool:
    """Begin to parse a batch, block a certificate, and only then go on with the batch."""
    parsing, is_parsed, may_go_on = Parsing(), threading.Event(), threading.Event()

    def wait() -> None:
        is_parsed.set()
        may_go_on.wait(DEADLINE_SECONDS)

    parsing.before = wait
    configuration = Configuration(kinds=parsing.kinds, store=SqlConfigurationStore(engine), clock=SystemClock())
    batch = threading.Thread(target=configuration.apply, args=(BATCH,))
    batch.start()
    assert is_parsed.wait(DEADLINE_SECONDS)

    trust = Trust(store=SqlTrustStore(engine), clock=SystemClock())
    blocking = threading.Thread(target=trust.block, args=("ab" * 32, "stolen"), daemon=True)
    blocking.start()
    blocking.join(DEADLINE_SECONDS / 3)
    is_blocked_meanwhile = not blocking.is_alive()
    may_go_on.set()
    batch.join(DEADLINE_SECONDS)

    assert len(configuration.standing("plans")) == len(BATCH)
    return is_blocked_meanwhile


def test_a_block_goes_through_while_a_large_batch_is_parsed(engine: Engine) -> None:
    """Whoever has a stolen certificate must not be served for as long as somebody's documents are read."""
    assert is_blocked_while_a_batch_is_parsed(engine)


def test_nothing_is_parsed_under_the_lock(engine: Engine) -> None:
    """Neither what is new, nor what stands and this process has never read."""
    Configuration(kinds=Parsing().kinds, store=SqlConfigurationStore(engine), clock=SystemClock()).apply(BATCH)
    parsing, store, parsed_before = Parsing(), Locking(engine), list[int]()
    store.inside = lambda: parsed_before.append(parsing.count)
    Configuration(kinds=parsing.kinds, store=store, clock=SystemClock()).apply([replace(BATCH[0], name="p9")])

    assert parsed_before == [parsing.count] == [len(BATCH) + 1]


def changed_meanwhile(engine: Engine, *changes: Change, every_time: bool = False) -> Configuration:
    """Return a configuration whose changes meet others, made after theirs were judged and before they are written."""
    other = Configuration(kinds=Parsing().kinds, store=SqlConfigurationStore(engine), clock=SystemClock())
    store, turns = Locking(engine), iter(range(100))

    def intrude() -> None:
        turn = next(turns)
        if turn == 0 or every_time:
            other.apply([replace(each, body={"rate": turn + 1} if each.body else None) for each in changes])

    store.before = intrude
    return Configuration(kinds=Parsing().kinds, store=store, clock=SystemClock())


def test_a_change_that_comes_between_judging_and_writing_is_judged_with(engine: Engine) -> None:
    """Who saw an older version is told so; who said nothing of versions comes after it; what no longer fits is refused."""
    seen = Precondition(absent=True)
    with pytest.raises(PreconditionFailed):
        changed_meanwhile(engine, BATCH[0]).apply([replace(BATCH[0], precondition=seen)])
    (applied,) = changed_meanwhile(engine, replace(BATCH[1])).apply([replace(BATCH[1], body={"rate": 7})])
    assert applied.version.number == 2
    shop = Change(kind="shops", name="a", body={"address": "/a", "plan": "p1"})
    with pytest.raises(SetRefused, match="there is no plans/p1"):
        changed_meanwhile(engine, replace(BATCH[1], body=None)).apply([shop])


def test_a_name_that_was_used_and_given_up_meanwhile_goes_on_counting(engine: Engine) -> None:
    """What stands is the same as before, and the next version is the third."""
    store, other = (
        Locking(engine),
        Configuration(kinds=Parsing().kinds, store=SqlConfigurationStore(engine), clock=SystemClock()),
    )

    def make_and_delete() -> None:
        if not store.history("plans", "p0"):
            other.apply([BATCH[0]])
            other.apply([replace(BATCH[0], body=None)])

    store.before = make_and_delete
    (applied,) = Configuration(kinds=Parsing().kinds, store=store, clock=SystemClock()).apply([BATCH[0]])
    assert applied.version.number == 3


def test_a_writer_that_is_always_too_late_gets_its_turn(engine: Engine) -> None:
    """Judged under the lock in the end, rather than never."""
    busy = changed_meanwhile(engine, BATCH[0], every_time=True)
    (applied,) = busy.apply([BATCH[2]])
    assert applied.version.name == "p2"

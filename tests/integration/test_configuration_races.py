"""Changes of the configuration at the same instant, as from several processes: one order, one chain, on each engine."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gateway.admin_audit import pruning
from gateway.admin_audit.chain import verified_chain
from gateway.admin_audit.pruning import AdminAuditPruning
from gateway.admin_audit.store import SqlAdminAudit
from gateway.configuration.changes import Change, Precondition, PreconditionFailed
from gateway.configuration.seeding import apply_seeds
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.at_once import at_once
from tests.support.configured import KINDS, PLANS, Plan
from tests.unit.gateway.configuration.test_judging_ahead import is_blocked_while_a_batch_is_parsed
from tests.unit.gateway.configuration.test_seeding import plans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases

ROUNDS = 8


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("gateway") as engine:
        yield engine


@pytest.fixture
def processes(engine: Engine) -> list[Configuration]:
    """Lend what three processes have: nothing of theirs is shared but the database."""
    return [Configuration(kinds=KINDS, store=SqlConfigurationStore(engine), clock=SystemClock()) for _ in range(3)]


def put(configuration: Configuration, name: str, rate: int, seen: Precondition) -> Callable[[], str]:
    change = Change(kind="plans", name=name, body={"rate": rate}, precondition=seen)
    return lambda: configuration.apply([change])[0].version.etag


def test_of_writers_that_saw_the_same_version_one_wins(processes: list[Configuration]) -> None:
    """When there is nothing yet, too."""
    seen = Precondition(absent=True)
    for number in range(ROUNDS):
        done = at_once(*(put(each, "gold", number * 10 + place + 1, seen) for place, each in enumerate(processes)))

        won = [each for each in done if isinstance(each, str)]
        assert len(won) == 1
        assert sum(isinstance(each, PreconditionFailed) for each in done) == len(processes) - 1
        seen = Precondition(etags=frozenset(won))


def test_writers_of_all_sorts_keep_one_chain(processes: list[Configuration], engine: Engine) -> None:
    """Documents and the block list, from several processes: no record is lost, none stands twice."""
    trust = Trust(store=SqlTrustStore(engine), clock=SystemClock())
    for number in range(ROUNDS):
        done = at_once(
            put(processes[0], f"a{number}", 1, Precondition()),
            put(processes[1], f"b{number}", 1, Precondition()),
            lambda number=number: str(trust.block(f"{number:064x}", "stolen")),
        )
        assert not [each for each in done if isinstance(each, Exception)]

    assert verified_chain(SqlAdminAudit(engine).chain()).head.number == 3 * ROUNDS


def test_a_pruning_between_changes_leaves_one_chain(
    processes: list[Configuration], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By two processes at a time: what one has deleted the other does not delete again."""
    monkeypatch.setattr(pruning, "BLOCK", 3)
    old = AdminAuditPruning(engine, SystemClock())
    cutoff = SystemClock().now() + timedelta(hours=1)
    for number in range(ROUNDS):
        done = at_once(
            put(processes[0], f"a{number}", 1, Precondition()),
            put(processes[1], f"b{number}", 1, Precondition()),
            lambda: str(old.prune(cutoff, 500)),
            lambda: str(old.prune(cutoff, 500)),
        )
        assert not [each for each in done if isinstance(each, Exception)]

    verified = verified_chain(SqlAdminAudit(engine).chain())
    assert verified.pruned.number > ROUNDS
    assert verified.records < 2 * ROUNDS


def test_workers_that_start_together_apply_the_seeds_once(processes: list[Configuration], engine: Engine) -> None:
    """None of them fails."""
    store = SqlConfigurationStore(engine)
    documents = plans({"gold": 1, "silver": 2})
    done = at_once(*(partial(apply_seeds, process, store, documents) for process in processes))

    assert done == [None] * len(processes)
    assert processes[0].snapshot().of(PLANS) == {"gold": Plan("gold", 1), "silver": Plan("silver", 2)}
    assert len(processes[0].history("plans", "gold")) == 1


def test_a_reference_and_the_deletion_of_its_target_do_not_meet(processes: list[Configuration]) -> None:
    """Whichever comes first, the other is refused, and no reference leads nowhere."""
    for number in range(ROUNDS):
        name = f"p{number}"
        processes[0].apply([Change(kind="plans", name=name, body={"rate": 1})])
        shop = Change(kind="shops", name=name, body={"address": f"/{name}", "plan": name})
        gone = Change(kind="plans", name=name, body=None)
        done = at_once(lambda shop=shop: processes[0].apply([shop]), lambda gone=gone: processes[1].apply([gone]))

        assert sum(isinstance(each, Exception) for each in done) == 1
        processes[2].snapshot()


def test_a_block_waits_for_no_documents(engine: Engine) -> None:
    """On each engine: SQLite has one writer, PostgreSQL one holder of the lock that changes of trust share."""
    assert is_blocked_while_a_batch_is_parsed(engine)


def test_what_a_worker_holds_is_found_in_the_history(processes: list[Configuration], engine: Engine) -> None:
    """On each engine, whatever stands by now."""
    for rate in (1, 2):
        processes[0].apply([Change(kind="plans", name=name, body={"rate": rate}) for name in ("gold", "silver")])
    store = SqlConfigurationStore(engine)
    held = store.versions([("plans", "gold", 1), ("plans", "silver", 2), ("plans", "never", 1)])
    assert sorted((each.name, each.number, each.document.body["rate"]) for each in held) == [("gold", 1, 1), ("silver", 2, 2)]

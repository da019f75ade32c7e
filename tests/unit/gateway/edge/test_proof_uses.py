"""Proofs pass once: over all workers, at the same time, and not at all where nobody can tell."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from gateway.admission.refusal import Refusal
from gateway.dpop.faults import ProofFault
from gateway.dpop.proof import Proof
from gateway.dpop.uses import claim_of, require_first
from gateway.edge.proof_uses import ProofUses
from gateway.limits.accounts import StoreUnreachable
from gateway.limits.store import SqlAccountStore
from gateway.tables.limits import limit_accounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.limits.accounts import AccountStore, Claim, Taken

# Its hour is to come: tests begin long after this is read, where many stand before them.
PROOF = Proof(jkt="k", jti="j", htm="GET", htu="https://bank.example/", iat=time.time() + 3_600, ath=None, nonce=None)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the store however busy the machine is."""
    monkeypatch.setattr("gateway.edge.proof_uses._STORE_SECONDS", 60.0)


def worker(file: Path) -> ProofUses:
    return ProofUses(lambda: SqlAccountStore.of_url(f"sqlite:///{file}", time.time), seconds=60, clock=time.time)


async def outcome(uses: ProofUses, proof: Proof) -> str:
    try:
        await uses.require_first(proof)
    except Refusal as refused:
        return refused.reason
    return "passed"


def test_a_proof_passes_once_over_all_workers(tmp_path: Path) -> None:
    """RFC 9449 §11.1: a replay to another worker is one too; another jti, or another key's, is another proof."""

    async def go() -> list[str]:
        one, other = worker(tmp_path / "limits.sqlite"), worker(tmp_path / "limits.sqlite")
        proofs = [PROOF, PROOF, replace(PROOF, jti="i"), replace(PROOF, jkt="l")]
        outcomes = [await outcome(uses, proof) for uses, proof in zip((one, other, other, one), proofs, strict=True)]
        one.stop()
        other.stop()
        return outcomes

    assert asyncio.run(go()) == ["passed", "dpop.replayed", "passed", "passed"]


def test_of_many_at_the_same_instant_one_passes(tmp_path: Path) -> None:
    """On two workers at once, each of which claims what it has together."""

    async def go() -> list[str]:
        workers = [worker(tmp_path / "limits.sqlite") for _ in range(2)]
        outcomes = await asyncio.gather(*(outcome(uses, PROOF) for uses in workers for _ in range(20)))
        for uses in workers:
            uses.stop()
        return outcomes

    outcomes = asyncio.run(go())
    assert outcomes.count("passed") == 1
    assert outcomes.count("dpop.replayed") == 39


def test_without_the_store_none_passes() -> None:
    """Fail closed: nobody could tell a replay."""

    class Unreachable:
        def take(self, _claims: Sequence[Claim]) -> list[Taken]:
            raise StoreUnreachable("it is down")

        def close(self) -> None:
            """Hold nothing."""

    async def go() -> str:
        uses = ProofUses(Unreachable, seconds=60, clock=time.time)  # type: ignore[arg-type]
        first = await outcome(uses, PROOF)
        uses.stop()
        return first

    assert asyncio.run(go()) == "gateway.unsure"


def test_the_store_forgets_a_proof_once_it_is_too_old_anyway(tmp_path: Path) -> None:
    """So that what is kept is bounded by the rate and the window."""
    now = [1.8e9]
    store: AccountStore = SqlAccountStore.of_url(f"sqlite:///{tmp_path / 'limits.sqlite'}", lambda: now[0])
    proof = replace(PROOF, iat=now[0] + 10)
    assert claim_of(proof, now=now[0], seconds=60).keep_seconds == 75

    require_first(store, proof, now=now[0], seconds=60)
    with pytest.raises(ProofFault):
        require_first(store, proof, now=now[0], seconds=60)
    now[0] += 100
    for number in range(500):
        require_first(store, replace(PROOF, jti=str(number), iat=now[0]), now=now[0], seconds=60)
    with store._engine.connect() as connection:  # type: ignore[attr-defined]
        assert connection.execute(select(func.count()).select_from(limit_accounts)).scalar_one() == 500

"""Claims what passes once, proofs of possession and message signatures, for one worker, off the event loop.

Those that come at the same time are claimed in one transaction.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from gateway.admission.refusal import Refusal, Scheme
from gateway.dpop.uses import claim_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.dpop.proof import Proof
    from gateway.limits.accounts import AccountStore, Claim, Taken

_STORE_SECONDS: Final = 3.0
_MOST_AT_A_TIME: Final = 200
_MOST_WAITING: Final = 2_000


class ProofUses:
    """Lets each proof and signature pass once. Without its store none does: nobody could tell a replay.

    Proofs are good for `seconds`; `clock` tells epoch seconds.
    """

    def __init__(self, open_store: Callable[[], AccountStore], *, seconds: float, clock: Callable[[], float]) -> None:
        """Open the store when the first proof comes: most gateways never see one."""
        self._open_store = open_store
        self._seconds = seconds
        self._clock = clock
        self._store: AccountStore | None = None
        self._waiting: dict[str, tuple[Claim, asyncio.Future[bool]]] = {}
        self._claiming: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="proofs")

    async def require_first(self, proof: Proof) -> None:
        """Raise 401 where the proof was used before, 503 where that can't be told."""
        claim = claim_of(proof, now=self._clock(), seconds=self._seconds)
        await self.require_first_use(claim, Refusal("dpop.replayed", scheme=Scheme.DPOP))

    async def require_first_use(self, claim: Claim, replayed: Refusal) -> None:
        """Raise `replayed` where the one unit of the claim has been taken before, 503 where that can't be told."""
        if len(self._waiting) >= _MOST_WAITING:
            raise _unsure("too many proofs and signatures are waiting")
        if claim.key in self._waiting:
            raise replayed
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[claim.key] = claim, future
        if self._claiming is None or self._claiming.done():
            self._claiming = asyncio.get_running_loop().create_task(self._claim_all())
        if not await future:
            raise replayed

    def stop(self) -> None:
        """Claim nothing any longer."""
        if self._claiming is not None:
            self._claiming.cancel()
        self._thread.shutdown(wait=False)
        if self._store is not None:
            self._store.close()

    async def _claim_all(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:_MOST_AT_A_TIME]
            batch = [self._waiting[key] for key in keys]
            try:
                await self._claim(batch)
            finally:
                for key in keys:
                    del self._waiting[key]

    async def _claim(self, batch: list[tuple[Claim, asyncio.Future[bool]]]) -> None:
        claims = [claim for claim, _ in batch]
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                taken = await asyncio.get_running_loop().run_in_executor(self._thread, self._take, claims)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            get_logger().error("uses.store_unreachable", error=str(error) or type(error).__name__)
            for _, future in batch:
                _settle(future, _unsure("the store of used proofs and signatures can't be asked"))
        else:
            for (_, future), some in zip(batch, taken, strict=True):
                _settle(future, bool(some.granted))

    def _take(self, claims: list[Claim]) -> list[Taken]:
        if self._store is None:
            self._store = self._open_store()
        return self._store.take(claims)


def _settle(future: asyncio.Future[bool], outcome: bool | Refusal) -> None:  # noqa: FBT001 - one of two outcomes
    if future.done():  # its client has left
        return
    if isinstance(outcome, Refusal):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _unsure(detail: str) -> Refusal:
    return Refusal("gateway.unsure", detail, headers=((b"retry-after", b"1"),))

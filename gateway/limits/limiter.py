"""Spends units of limits for requests: from what this worker has leased, else from the shared store, off the event loop.

What is leased is in memory and lost with the worker: then fewer are admitted than could be, never more.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from chassis.logs import get_logger
from gateway.limits.accounts import StoreUnreachable
from gateway.limits.meter import Meter, spend_ample
from gateway.limits.model import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.limits.accounts import AccountStore, Claim, Taken
    from gateway.limits.meter import Unit
    from gateway.limits.model import Limit

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

_IDLE_SECONDS: Final = 2.0
_STORE_SECONDS: Final = 3.0
_MOST_AT_A_TIME: Final = 200
_BLIND_SECONDS: Final = 1.0  # after a failure, before the store is asked again


class Receipt(NamedTuple):
    """What a request has spent: a unit of each meter, None where nobody could count."""

    meters: Sequence[Meter]
    units: Sequence[Unit | None]


class LimitReached(Exception):
    """No more for now, by the limit of `meter`, one of the `meters` that the request counts to; nothing is spent."""

    def __init__(self, meter: Meter, meters: Sequence[Meter]) -> None:
        """Name the limit."""
        super().__init__(f"{meter.limit.scope}: {meter.limit.label} of {meter.value}")
        self.meter = meter
        self.meters = meters


class Limiter:
    """One worker's limits. `clock` tells epoch seconds; at most `most` counters are remembered.

    Where the store can't be asked, `refuses_blind` decides whether requests are refused or go uncounted.
    """

    def __init__(self, store: AccountStore, *, clock: Callable[[], float], most: int, refuses_blind: bool) -> None:
        """Lease from `store`."""
        self._store = store
        self._clock = clock
        self._most = most
        self._refuses_blind = refuses_blind
        self._meters: dict[tuple[str, str], Meter] = {}
        self._wanting: list[Meter] = []
        self._returns: list[tuple[str, int]] = []
        self._leasing: asyncio.Task[None] | None = None
        self._is_failing = False
        self._blind_until = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="limits")

    def meter(self, limit: Limit, value: str) -> Meter:
        """Return the meter that counts for one value of the limit's key."""
        key = (limit.counter, value)
        meter = self._meters.get(key)
        if meter is None:
            self._make_room()
        elif meter.limit is limit or meter.limit == limit:
            return meter
        else:
            self._part_with(meter)  # its figures have changed
        meter = self._meters[key] = Meter(limit, value, self._clock())
        return meter

    def try_spend(self, meters: Sequence[Meter], now: float) -> Receipt | None:
        """Spend a unit of each from what is here; None where one has to be leased first. Raises `LimitReached`.

        `now` is epoch seconds, of this moment or just before.
        """
        ample = spend_ample(meters, now)
        if ample is not None:
            return Receipt(meters, ample)
        units: list[Unit] = []
        for meter in meters:
            unit = meter.take(now)
            if unit is None:
                self._undo(meters, units, now)
                self._require_some(meter, meters, now)
                return None
            units.append(unit)
        if any(meter.is_low(now) for meter in meters):
            self._lease_all_of(meters, now)
        return Receipt(meters, units)

    async def spend(self, meters: Sequence[Meter]) -> Receipt:
        """Spend a unit of each, leasing what is missing; raises `LimitReached`, `StoreUnreachable`."""
        now = self._clock()
        receipt = self.try_spend(meters, now)
        if receipt is not None:
            return receipt
        waits = [self._unit(meter, now) for meter in meters]
        try:
            units = await asyncio.gather(*waits, return_exceptions=True)
        except asyncio.CancelledError:
            self._give_back_late(meters, waits)
            raise
        return self._settled(meters, units)

    def give_back(self, receipt: Receipt, *, quotas_only: bool) -> None:
        """Undo what a request has spent: its quotas where the server failed, all of it where it should not have counted."""
        now = self._clock()
        for meter, unit in zip(receipt.meters, receipt.units, strict=True):
            if unit is None or (quotas_only and not isinstance(meter.limit.allowance, Quota)):
                continue
            if self._meters.get((meter.limit.counter, meter.value)) is meter:
                meter.put_back(unit, now)
            elif isinstance(meter.limit.allowance, Quota):
                self._returns.append((unit.account, 1))  # the worker has parted with it meanwhile

    def tidy(self) -> None:
        """Give back what idle counters hold, and forget them; call it every second or so."""
        now = self._clock()
        for key, meter in list(self._meters.items()):
            if now - meter.touched_at > _IDLE_SECONDS and not meter.waiting and not meter.is_leasing:
                self._part_with(meter)
                del self._meters[key]

    async def close(self) -> None:
        """Give back everything that is left, as far as the store can be reached."""
        if self._leasing is not None:
            with suppress(Exception):
                await asyncio.wait_for(asyncio.shield(self._leasing), _STORE_SECONDS)
        for meter in self._meters.values():
            self._note_unspent(meter)
        self._meters.clear()
        await self._return_units()
        self._thread.shutdown(wait=False)
        self._store.close()

    # --- one request ---

    def _require_some(self, missing: Meter, meters: Sequence[Meter], now: float) -> None:
        if missing.is_empty(now):
            raise LimitReached(missing, meters)

    def _undo(self, meters: Sequence[Meter], units: Sequence[Unit | None], now: float) -> None:
        for meter, unit in zip(meters, units, strict=False):  # as many as were taken
            if unit is not None:
                meter.put_back(unit, now)

    def _unit(self, meter: Meter, now: float) -> asyncio.Future[Unit | None]:
        future: asyncio.Future[Unit | None] = asyncio.get_running_loop().create_future()
        unit = meter.take(now)
        if unit is not None or meter.is_empty(now):
            future.set_result(unit)
        elif now < self._blind_until:
            future.set_exception(StoreUnreachable("it could not be asked a moment ago"))
        else:
            meter.waiting.append(future)
            self._lease(meter)
        return future

    def _settled(self, meters: Sequence[Meter], units: Sequence[Unit | BaseException | None]) -> Receipt:
        """Return the receipt; where a unit is missing, put the others back first."""
        receipt = Receipt(meters, [unit if isinstance(unit, tuple) else None for unit in units])
        now = self._clock()
        for meter, unit in zip(meters, units, strict=True):
            if isinstance(unit, BaseException):
                if not self._refuses_blind and isinstance(unit, StoreUnreachable):
                    continue
                self._undo(meters, receipt.units, now)
                raise unit
            if unit is None:
                self._undo(meters, receipt.units, now)
                raise LimitReached(meter, meters)
        return receipt

    def _give_back_late(self, meters: Sequence[Meter], waits: Sequence[asyncio.Future[Unit | None]]) -> None:
        """Put back what was granted to a client that has left."""
        now = self._clock()
        for meter, wait in zip(meters, waits, strict=True):
            if wait.done() and not wait.cancelled() and wait.exception() is None:
                unit = wait.result()
                if unit is not None:
                    meter.put_back(unit, now)

    # --- leasing ---

    def _lease_all_of(self, meters: Sequence[Meter], now: float) -> None:
        """Lease for those that need it, and with them for those that will soon."""
        for meter in meters:
            if meter.is_low(now) or meter.may_join(now):
                self._lease(meter)

    def _lease(self, meter: Meter) -> None:
        if not meter.is_leasing:
            meter.is_leasing = True
            self._wanting.append(meter)
        if self._leasing is None or self._leasing.done():
            self._leasing = asyncio.get_running_loop().create_task(self._lease_all())

    async def _lease_all(self) -> None:
        """Work until nothing is left of either kind: what is noted meanwhile finds this task running, and starts no other."""
        while self._wanting or self._returns:
            if self._wanting:
                await self._lease_some()
            else:
                await self._return_units()

    async def _lease_some(self) -> None:
        batch, self._wanting = self._wanting[:_MOST_AT_A_TIME], self._wanting[_MOST_AT_A_TIME:]
        now = self._clock()
        claims = [meter.claim(now) for meter in batch]
        try:
            taken = await self._in_thread(self._store.take, claims)
        except StoreUnreachable as error:
            self._note_failure(error)
            self._fail(batch, error)
            return
        self._is_failing = False
        self._hand_out(batch, claims, taken)

    async def _in_thread(self, call: Callable[[Sequence[Asked]], Answer], asked: Sequence[Asked]) -> Answer:
        work = asyncio.get_running_loop().run_in_executor(self._thread, call, asked)
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                return await work
        except TimeoutError as error:
            # What may be granted yet is lost: the thread's answer comes too late to be spent.
            raise StoreUnreachable(f"no answer within {_STORE_SECONDS} s") from error
        except StoreUnreachable:
            raise
        except Exception as error:  # whatever it is, those who wait must hear of it
            raise StoreUnreachable(repr(error)) from error

    def _fail(self, batch: list[Meter], error: StoreUnreachable) -> None:
        self._blind_until = self._clock() + _BLIND_SECONDS
        for meter in batch:
            meter.is_leasing = False
            meter.fail(error)

    def _hand_out(self, batch: list[Meter], claims: list[Claim], taken: list[Taken]) -> None:
        now = self._clock()
        for meter, claim, some in zip(batch, claims, taken, strict=True):
            meter.is_leasing = False
            meter.receive(claim, some, now)
            if meter.waiting:
                self._lease(meter)
            elif meter.is_parted:
                self._note_unspent(meter)  # forgotten while it leased

    def _note_failure(self, error: StoreUnreachable) -> None:
        if not self._is_failing:
            get_logger().error("limits.store_unreachable", error=str(error), refuses=self._refuses_blind)
        self._is_failing = True

    # --- giving back ---

    def _make_room(self) -> None:
        while len(self._meters) >= self._most:
            key = next(iter(self._meters))
            self._part_with(self._meters.pop(key))

    def _part_with(self, meter: Meter) -> None:
        self._note_unspent(meter)
        if self._returns and (self._leasing is None or self._leasing.done()):
            self._leasing = asyncio.get_running_loop().create_task(self._lease_all())

    def _note_unspent(self, meter: Meter) -> None:
        account = meter.terms.account
        meter.is_parted = True
        units = meter.unspent()
        if units and self._clock() < meter.terms.ends_at:
            self._returns.append((account, units))

    async def _return_units(self) -> None:
        units, self._returns = self._returns, []
        if not units:
            return
        merged: dict[str, int] = {}
        for account, count in units:
            merged[account] = merged.get(account, 0) + count
        try:
            await self._in_thread(self._store.give_back, list(merged.items()))
        except StoreUnreachable as error:  # they stay spent: fewer are admitted than could be
            self._note_failure(error)

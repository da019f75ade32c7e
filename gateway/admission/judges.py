"""The judge of each trust store in one worker: made when a store is first asked for, and made anew when trust changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from gateway.admission.memory import Memory, NotLoaded
from gateway.trust.verdict import Distrusted
from psd2.certificates import parse_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from cryptography import x509

    from gateway.trust.judgement import Judge
    from psd2.certificates import Psd2Certificate

_MOST_STORES: Final = 1_000
_RENEWAL_SECONDS: Final = 0.5
_RETRY_SECONDS: Final = 0.1


class Judges:
    """Judges by the name of their store; while one is renewed the old one serves, for a moment."""

    def __init__(self, read: Callable[[str], Judge], *, on_renewed: Callable[[], None]) -> None:
        """`read` makes a judge and blocks; `on_renewed` is told, on the event loop, that trust may have shrunk."""
        self._memory: Memory[Judge] = Memory(read, most=_MOST_STORES)
        self._on_renewed = on_renewed
        self._stale: set[str] = set()
        self._renewals: dict[str, asyncio.Task[None]] = {}

    async def load(self, store: str) -> None:
        """Make the judge of a store; raises what the database raises."""
        await self._memory.load(store)

    def of(self, store: str) -> Judge:
        """Return the judge of the store's newest state; raises `NotLoaded`."""
        judge = self._memory.known(store)
        if judge is None:
            raise NotLoaded(self._memory, store)
        return judge

    def listed_by(self, store: str, issuer: x509.Certificate) -> Container[int]:
        """Return the serial numbers that the issuer's CRL lists in a store that is in use."""
        judge = self._memory.peek(store)
        return judge.listed_by(issuer) if judge else ()

    def all_known(self) -> list[Judge]:
        """Return the judges that are in use."""
        return [judge for judge in self._memory.values() if judge is not None]

    def still_trusted(self, der: bytes, *, digest: bytes, now: float) -> Psd2Certificate | None:
        """Return the certificate where one of the judges in use trusts it, or can't tell before it has looked something up."""
        for judge in self.all_known():
            try:
                return judge.require_trusted(der, digest=digest, now=now).certificate
            except Distrusted:
                continue
            except NotLoaded:
                # The next request will wait for what is missing, and be judged by it.
                return parse_certificate(der)
        return None

    def renew(self, store: str) -> None:
        """Make a store's judge anew, where it is in use."""
        self._memory.doubt(store)
        self._renew({store} & self._memory.keys())

    def renew_all(self) -> None:
        """Make all that are in use anew: what changed concerns every store."""
        self._memory.doubt_all()
        self._renew(set(self._memory.keys()))

    def forget_verdicts(self) -> None:
        """Let every judge judge everybody anew, by what it knows."""
        for judge in self.all_known():
            judge.forget_verdicts()
        self._on_renewed()

    def stop(self) -> None:
        """Renew no more."""
        for renewal in self._renewals.values():
            renewal.cancel()

    def _renew(self, stores: set[str]) -> None:
        # Each by itself: a store that takes long to read must not keep the old judges of others in force.
        self._stale |= stores
        for store in stores - self._renewals.keys():
            self._renewals[store] = asyncio.get_running_loop().create_task(self._renew_stale(store), name=f"judge of {store}")

    async def _renew_stale(self, store: str) -> None:
        """Read a store anew until it is not stale."""
        try:
            while store in self._stale:
                self._stale.discard(store)
                if await self._is_read_anew(store):
                    self._on_renewed()
                else:
                    await asyncio.sleep(_RETRY_SECONDS)
        finally:
            del self._renewals[store]

    async def _is_read_anew(self, store: str) -> bool:
        """Make one judge anew; if that fails, nobody is judged by the store until it is read."""
        try:
            try:
                async with asyncio.timeout(_RENEWAL_SECONDS):
                    await self._memory.load(store)
            except TimeoutError:
                # The old judge must not serve any longer. The reading is of what changed: begun anew it would never end.
                get_logger().warning("trust.slow", store=store)
                self._memory.drop(store)
                await self._memory.load(store)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the old judge must not serve any longer
            get_logger().error("trust.unreadable", store=store, error=repr(error))
            self._memory.forget(store)
            self._stale.add(store)
            return False
        return True

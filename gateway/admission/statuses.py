"""What OCSP responders say, as one worker has it: asked off the event loop, one at a time for each certificate, and ahead."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from gateway.admission.memory import NotLoaded
from gateway.trust.ocsp_client import without_answer
from gateway.trust.ocsp_status import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from gateway.trust.ocsp_status import OcspStatus, Question
    from psd2.clock import Clock

_MOST: Final = 20_000
# Responders that are slow hold these threads and no others.
_THREADS: Final = 8
_LOAD_SECONDS: Final = 4.5
_RETRY_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0
# How long an answer that should be asked for anew goes on serving while that is done.
_STALE_SECONDS: Final = 10.0
_FATAL: Final = frozenset({Answer.REVOKED, Answer.UNKNOWN})


@dataclass(slots=True)
class _Entry:
    question: Question
    status: OcspStatus
    taken_at: float
    asked_at: float

    @property
    def is_in_use(self) -> bool:
        """Whether somebody has asked since the last answer came, or not long before."""
        # A responder that was silent once is asked again soon: that alone ends no use.
        return self.asked_at >= self.taken_at - max(self.status.refresh_at - self.taken_at, _STALE_SECONDS)


class Statuses:
    """Answers by question; what is missing raises `NotLoaded`."""

    def __init__(
        self,
        answer: Callable[[Question], OcspStatus],
        *,
        kept: Callable[[Question], OcspStatus | None],
        clock: Clock,
        on_refusal: Callable[[], None],
    ) -> None:
        """`answer` asks, `kept` returns what was answered before; both block.

        `on_refusal` is told where a responder's word has turned against a certificate, or for it again.
        """
        self._answer = answer
        self._kept = kept
        self._clock = clock
        self._on_refusal = on_refusal
        self._entries: dict[str, _Entry] = {}
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._doubted: set[str] = set()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ocsp")
        self._refreshing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask ahead."""
        self._refreshing = asyncio.get_running_loop().create_task(self._refresh(), name="ocsp")

    def stop(self) -> None:
        """Ask nobody any more."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def status(self, question: Question, now: float, revoked: Container[int]) -> OcspStatus:
        """Return what stands, by no signer that is among `revoked`; raises `NotLoaded` where somebody has to be asked first."""
        key = question.key
        entry = self._entries.get(key)
        is_over = entry is None or now >= min(entry.status.known_until, entry.status.refresh_at + _STALE_SECONDS)
        if entry is None or is_over or not entry.status.is_believed(revoked):
            raise NotLoaded(_Asking(self, question), key)
        entry.asked_at = now
        return entry.status

    def changed(self, key: str) -> None:
        """Hear that another worker has had a new answer."""
        entry = self._entries.get(key)
        if key in self._loading:
            self._doubted.add(key)  # what is being looked up may be the answer before
        elif entry is not None:
            self._begin(key, entry.question)

    def forget_all(self) -> None:
        """Look everything up anew when it is next needed."""
        self._entries.clear()
        self._doubted.update(self._loading)

    async def ask(self, key: str, question: Question) -> None:
        """Ask, together with everybody else who waits; a responder that is silent makes an answer too.

        Raises what the database raises.
        """
        task = self._begin(key, question)
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                await asyncio.shield(task)
        except TimeoutError:
            await self._note_silence(key, question)

    def _begin(self, key: str, question: Question) -> asyncio.Task[None]:
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.get_running_loop().create_task(self._load(key, question))
            task.add_done_callback(_note_failure)
        return task

    async def _load(self, key: str, question: Question) -> None:
        is_settled = False
        try:
            while not is_settled:
                self._doubted.discard(key)
                status = await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)
                self._take(key, question, status)
                is_settled = key not in self._doubted
        finally:
            self._loading.pop(key, None)
            self._doubted.discard(key)

    def _take(self, key: str, question: Question, status: OcspStatus) -> None:
        now, before = self._now(), self._entries.get(key)
        while before is None and len(self._entries) >= _MOST:
            self._entries.pop(next(iter(self._entries)))
        self._entries[key] = _Entry(question, status, now, before.asked_at if before else now)
        if (
            before is not None
            and status.verdict is not before.status.verdict
            and {status.verdict, before.status.verdict} & _FATAL
        ):
            self._on_refusal()

    async def _note_silence(self, key: str, question: Question) -> None:
        """Let those who wait be judged by hard or soft fail, or by a revocation of before; the answer may still come."""
        kept = None if key in self._entries else await asyncio.to_thread(self._kept, question)
        if key in self._loading:  # else the answer has come meanwhile
            entry, reason = self._entries.get(key), f"none within {_LOAD_SECONDS} s"
            known = entry.status if entry else kept
            self._take(key, question, without_answer(known, reason, now=self._now(), retry_seconds=_RETRY_SECONDS))

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = self._now()
            for key, entry in tuple(self._entries.items()):
                if now >= entry.status.refresh_at and entry.is_in_use:
                    self._begin(key, entry.question)
                elif now >= entry.status.known_until:
                    del self._entries[key]

    def _now(self) -> float:
        return self._clock.now().timestamp()


@dataclass(frozen=True, slots=True)
class _Asking:
    """The `Loader` of one question, which nobody holds where it is not asked after all."""

    statuses: Statuses
    question: Question

    async def load(self, key: str) -> None:
        """Ask it."""
        await self.statuses.ask(key, self.question)


def _note_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        get_logger().error("ocsp.unreadable", error=str(task.exception()))

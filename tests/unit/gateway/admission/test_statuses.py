"""What a worker has of responders' answers: never older than the last word that another worker has told of."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import sys
import threading
from contextlib import suppress

import pytest

from gateway.admission import statuses as statuses_module
from gateway.admission.memory import NotLoaded
from gateway.admission.statuses import Statuses
from gateway.trust.ocsp_status import Answer, OcspStatus, Question
from psd2.clock import FixedClock
from tests.support.pki import Authority

NOW = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
AUTHORITY = Authority()
QUESTION = Question("tpps", AUTHORITY.qwac().certificate, AUTHORITY.certificate)


class Kept:
    """The answer that all workers share; reading it can be held up."""

    def __init__(self) -> None:
        self.verdict = Answer.GOOD
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def answer(self, _question: Question) -> OcspStatus:
        verdict = self.verdict
        self.has_begun.set()
        self.may_go_on.wait(60)
        later = NOW.timestamp() + 3_600
        return OcspStatus(verdict=verdict, as_of=NOW.timestamp(), known_until=later, refresh_at=later)


@pytest.mark.parametrize("tell", ["the answer", "everything"])
def test_an_answer_that_changed_while_it_was_looked_up_is_looked_up_anew(tell: str) -> None:
    """Else a certificate that was revoked in that moment would be good here until the answer is refreshed."""

    async def run() -> None:
        kept = Kept()
        statuses = Statuses(kept.answer, clock=FixedClock(NOW), on_refusal=lambda: None, kept=lambda _question: None)
        with pytest.raises(NotLoaded) as missing:
            statuses.status(QUESTION, NOW.timestamp(), ())
        loading = asyncio.get_running_loop().create_task(missing.value.load())
        await asyncio.to_thread(kept.has_begun.wait, 60)
        kept.verdict = Answer.REVOKED
        if tell == "everything":
            statuses.forget_all()
        else:
            statuses.changed(QUESTION.key)
        kept.may_go_on.set()
        await loading
        assert statuses.status(QUESTION, NOW.timestamp(), ()).verdict is Answer.REVOKED
        statuses.stop()

    asyncio.run(run())


def stale(verdict: Answer) -> OcspStatus:
    """Return an answer that has run out."""
    before = NOW.timestamp() - 3_600
    return OcspStatus(verdict=verdict, as_of=before, known_until=before + 60, refresh_at=before + 60)


@pytest.mark.parametrize(
    ("kept", "verdict"),
    [(None, Answer.NONE), (stale(Answer.GOOD), Answer.NONE), (stale(Answer.REVOKED), Answer.REVOKED)],
    ids=["nothing", "an old good one", "a revocation"],
)
def test_while_nobody_answers_a_revocation_that_is_known_to_others_stands(
    kept: OcspStatus | None, verdict: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that has just begun knows none: the wait for a responder must not let anybody in, soft fail or not."""
    monkeypatch.setattr(statuses_module, "_LOAD_SECONDS", 0)

    async def run() -> None:
        slow = Kept()
        statuses = Statuses(slow.answer, clock=FixedClock(NOW), on_refusal=lambda: None, kept=lambda _question: kept)
        with pytest.raises(NotLoaded) as missing:
            statuses.status(QUESTION, NOW.timestamp(), ())
        await missing.value.load()
        assert statuses.status(QUESTION, NOW.timestamp(), ()).verdict is verdict
        slow.may_go_on.set()
        statuses.stop()

    asyncio.run(run())


def test_an_answer_that_comes_while_it_is_looked_up_what_is_kept_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the newer one."""
    monkeypatch.setattr(statuses_module, "_LOAD_SECONDS", 0)

    async def run() -> None:
        slow, asked, taken = Kept(), threading.Event(), threading.Event()

        def kept(_question: Question) -> None:
            asked.set()
            slow.may_go_on.set()
            taken.wait(60)

        statuses = Statuses(slow.answer, clock=FixedClock(NOW), on_refusal=lambda: None, kept=kept)
        with pytest.raises(NotLoaded) as missing:
            statuses.status(QUESTION, NOW.timestamp(), ())
        loading = asyncio.get_running_loop().create_task(missing.value.load())
        await asyncio.sleep(0)
        answering = statuses._loading[QUESTION.key]
        await asyncio.to_thread(asked.wait, 60)
        await answering
        taken.set()
        await loading
        status = statuses.status(QUESTION, NOW.timestamp(), ())
        assert (status.verdict, status.refresh_at) == (Answer.GOOD, NOW.timestamp() + 3_600)
        statuses.stop()

    asyncio.run(run())


def test_a_question_that_is_not_asked_after_all_is_not_held() -> None:
    """Whoever merely wants to know whose a connection is waits for no responder."""

    async def run() -> None:
        statuses = Statuses(Kept().answer, clock=FixedClock(NOW), on_refusal=lambda: None, kept=lambda _question: None)
        question = Question("tpps", AUTHORITY.qwac().certificate, AUTHORITY.certificate)
        before = sys.getrefcount(question)
        with suppress(NotLoaded):
            statuses.status(question, NOW.timestamp(), ())
        gc.collect()
        assert sys.getrefcount(question) == before
        statuses.stop()

    asyncio.run(run())

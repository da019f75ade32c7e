"""Answers `POST /explain` at the control API: a TPP's developer asks in the portal, which says whose question it is.

The checks are those of the edge; what only the edge has (a proved key, what is left of a limit) is said to be missing.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, StringConstraints

from gateway.admission.admit import Admission
from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Request
from gateway.admission.signatures import SignedRequest, has_seal_to_judge, judged_signature, require_demanded
from gateway.audit.exchange import Exchange
from gateway.audit.record import RecordWriter
from gateway.explain.asked import ExplainBody, asked_of
from gateway.explain.dry_run import Verdict
from gateway.explain.explainer import Explainer
from gateway.explain.standing_knowledge import KnownOfOne
from gateway.plans.subscription import entitled_subscriber
from gateway.plans.tokens import Bearing
from gateway.policies.model import Listener, SignatureRule
from psd2.ids import new_time_ordered_uuid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.admission.certificates import Judges
    from gateway.admission.signatures import SignatureVerdict
    from gateway.admission.tokens import AccessToken
    from gateway.edge.client_head import ClientHead
    from gateway.explain.standing_knowledge import StandingKnowledge
    from gateway.plans.table import PlanTable
    from psd2.clock import Clock

_PATIENCE_SECONDS: Final = 3.0
_LIMITS_NOTE: Final = "what is left of a limit is known at the TPPs' address alone: ask POST /explain there"
_LIMITS, _BINDING = "limits", "binding"
_PROOF_NOTE: Final = "a DPoP proof fits the token itself, of which the hash alone is here: ask at the TPPs' address"


class ExplainingBusy(Exception):
    """Another question takes too long."""


class Question(ExplainBody):
    """The body of `POST /explain` at the control API: whose question, from which address, and by which of its tokens."""

    tpp: Annotated[str, StringConstraints(min_length=1, max_length=140)]
    address: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f.:]{2,45}$")]
    token: Annotated[
        str | None,
        Field(pattern=r"^[0-9a-f]{16,64}$", description="SHA-256 of the access token, or its beginning, as records have it"),
    ] = None


@dataclass(frozen=True, slots=True)
class _Foreseeing:
    """`Counting` that counts nothing: who subscribes is told, what is left of limits is not known here."""

    table: PlanTable

    def foresee(self, exchange: Exchange, head: ClientHead) -> None:
        """Note who would be counted; raises `Refusal`."""
        request, admission = exchange.request, exchange.admission
        bearing = Bearing(request.path, request.query, head.host or b"", head.authorization, head.lines)
        exchange.entitled = entitled_subscriber(
            bearing, admission.taken, admission.certificate, self.table, exchange.arrived_at
        )

    async def judged(self, _exchange: Exchange, refusal: Refusal) -> Refusal:
        """Count nothing: a token is known by its hash here, and only its own TPP's is looked up."""
        return refusal


@dataclass(slots=True)
class Seals:
    """Judges signatures as the edge does."""

    known: Judges
    now: float
    longest_age: float

    async def judge(self, exchange: Exchange, head: ClientHead, body: bytes) -> SignatureVerdict | None:
        """Return the verdict, None where there is no signature; raises `Refusal` where the route demands a valid one."""
        admission = exchange.admission
        if admission.taken.message_signatures is SignatureRule.REQUIRED and not head.bears_message_signature:
            raise Refusal("message_signature.missing")  # one that is there covers the token, which nobody here has
        rule = admission.taken.signature
        if not has_seal_to_judge(rule, bears_seal=head.bears_seal) or head.signed is None:
            return None
        judge = self.known.judge_of(admission.taken.trust_store)
        signed = SignedRequest(exchange.request, head.signed, body)
        verdict = judged_signature(signed, admission.tpp, judge, now=self.now, longest_age=self.longest_age)
        exchange.signature = verdict
        require_demanded(rule, verdict)
        return verdict


class ExplainDesk:
    """Explains one request at a time; `host` is what TPPs call the gateway."""

    def __init__(self, standing: StandingKnowledge, clock: Clock, *, host: str, signature_seconds: float) -> None:
        """Hold what questions have in common."""
        self._standing = standing
        self._clock = clock
        self._host = host
        self._signature_seconds = signature_seconds
        self._seat = threading.Lock()

    def explained(self, question: Question) -> dict[str, Any]:
        """Return every check with its verdict; raises `ExplainingBusy`, `Refusal` for what can't be read, `SetRefused`."""
        with self._seated():
            self._standing.renew()
            return asyncio.run(self._explained(question))

    async def _explained(self, question: Question) -> dict[str, Any]:
        now = self._clock.now().timestamp()
        token = self._standing.source.token_of(question.tpp, question.token) if question.token is not None else None
        known = KnownOfOne(self._standing, token)
        explainer = Explainer(
            knowledge=known,
            counting=_Foreseeing(self._standing.plans.table),
            records=RecordWriter(redactions=self._standing.plans.redactions),
            judge_signature=Seals(known, now, self._signature_seconds).judge,
        )
        asking = Exchange(request=self._asking(question, token), admission=Admission(), arrived_at=now, began_at=0.0)
        answer = await explainer.explained(asking, asked_of(question), now=now, asker=question.tpp)
        return _noted(answer, is_key_bound=token is not None and bool(token.jkt))

    def _asking(self, question: Question, token: AccessToken | None) -> Request:
        """Return a request that asks as the TPP would, over a connection whose key nobody has proved."""
        scheme = b"DPoP" if token is not None and token.jkt else b"Bearer"
        return Request(
            connection=Connection(listener=Listener.EDGE, address=question.address, tls=None, leaf=None),
            id=new_time_ordered_uuid(int(self._clock.now().timestamp() * 1000)),
            method="POST",
            path="/explain",
            query=b"",
            host=self._host,
            # In the place of the token itself, which nobody here has: `KnownOfOne` knows which one is meant.
            authorization=scheme + b" in-question" if question.token is not None else None,
            tpp_request_id=None,
        )

    @contextmanager
    def _seated(self) -> Iterator[None]:
        if not self._seat.acquire(timeout=_PATIENCE_SECONDS):
            raise ExplainingBusy
        try:
            yield
        finally:
            self._seat.release()


def _noted(answer: dict[str, Any], *, is_key_bound: bool) -> dict[str, Any]:
    """Say where the edge knows more."""
    for check in answer["checks"]:
        if is_key_bound and check["check"] == _BINDING and check["verdict"] == Verdict.FAILED:
            check["note"] = _PROOF_NOTE
        if check["check"] == _LIMITS and check["verdict"] == Verdict.NOT_ASKED:
            check.update({"verdict": Verdict.NOT_REACHED, "note": _LIMITS_NOTE})
    return answer

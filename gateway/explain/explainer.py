"""Answers `POST /explain`: the same checks as for any request, gone through for one that is only described.

Nothing is forwarded, and nothing of the described service's limits spent; a token or signature that could be a guess counts
as a failed attempt, as it would on the way itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from gateway.admission.admit import Admission
from gateway.admission.looking_up import looked_up
from gateway.admission.refusal import Refusal
from gateway.admission.rendering import Answer
from gateway.admission.request import Connection, Leaf, Request
from gateway.admission.stages import Stage
from gateway.audit.exchange import Exchange
from gateway.audit.explanation import told_to_its_tpp
from gateway.edge.client_head import AmbiguousHead, ClientHead, HeadReader
from gateway.explain.asked import MOST_BODY_BYTES, read_asked
from gateway.explain.discretion import DiscreetKnowledge
from gateway.explain.dry_run import HOLDERS_OWN, DryRun, Verdict, dry_run
from gateway.explain.rendering import explanation
from gateway.policies.model import SignatureRule, Upstream
from gateway.trust.model import TPP_STORE
from gateway.trust.verdict import Distrusted
from psd2.certificates import MalformedCertificate, parse_certificate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.admission.admit import Known
    from gateway.admission.signatures import SignatureVerdict
    from gateway.audit.record import RecordWriter
    from gateway.edge.client import Client
    from gateway.explain.asked import Asked

    JudgeSignature = Callable[[Exchange, ClientHead, bytes], Awaitable[SignatureVerdict | None]]

# What somebody could try until it fits, though only a dry run tells.
_GUESSABLE: Final = frozenset({Stage.TOKEN, Stage.BINDING, Stage.SIGNATURE, Stage.SUBSCRIPTION})


class Counting(Protocol):
    """What counts requests, as far as a dry run needs it."""

    def foresee(self, exchange: Exchange, head: ClientHead) -> None:
        """Note what a request would be counted to; raises `Refusal`."""

    async def judged(self, exchange: Exchange, refusal: Refusal) -> Refusal:
        """Count a refusal, if it is one of a failed attempt; returns what to answer."""


@dataclass(slots=True)
class Explainer:
    """Explains, for one worker."""

    knowledge: Known
    counting: Counting
    records: RecordWriter
    judge_signature: JudgeSignature

    @staticmethod
    def answers(admission: Admission) -> bool:
        """Whether the route is answered here."""
        return admission.route is not None and admission.route.upstream == Upstream.EXPLAIN

    async def answer(self, exchange: Exchange, client: Client, *, now: float) -> Answer:
        """Return the answer to an admitted question; raises `Refusal`, `ClientGone`."""
        asked = read_asked(await _whole_body(exchange, client))
        body = orjson.dumps(await self.explained(exchange, asked, now=now))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        return Answer(200, headers, body)

    async def explained(self, exchange: Exchange, asked: Asked, *, now: float, asker: str | None = None) -> dict[str, object]:
        """Go the way of the request that is asked about; raises `Refusal` where too much has been guessed at.

        `asker` is the number of the TPP that asks, where that is known otherwise than by the connection's certificate.
        """
        own = exchange.request
        leaf = Leaf(asked.der) if asked.der is not None else own.connection.leaf
        is_proved = leaf is None or leaf is own.connection.leaf
        is_holder = is_proved or await self._is_of(asker, own.connection.leaf, leaf, now)
        head = _head(asked)
        described = Exchange(
            request=_described(own, asked, leaf, head.lines), admission=Admission(), arrived_at=now, began_at=exchange.began_at
        )
        run = await self._run(described, head, asked.body, now, is_holder=is_holder)
        await self._count(exchange, run)
        record = orjson.loads(self.records.of_exchange(described, ended_at=described.began_at))
        return explanation(run, told_to_its_tpp(record), leaf=leaf, is_proved=is_proved)

    async def _run(self, exchange: Exchange, head: ClientHead, body: bytes, now: float, *, is_holder: bool) -> DryRun:
        request = exchange.request
        if is_holder:
            run = await looked_up(lambda: dry_run(request, self.knowledge, now))
        else:
            discreet = DiscreetKnowledge(self.knowledge)
            run = await looked_up(lambda: dry_run(request, discreet, now, withheld=HOLDERS_OWN))
        exchange.admission = run.admission
        for stage in (Stage.NETWORK, Stage.TLS, Stage.GATEWAY):
            run.verdicts[stage] = Verdict.PASSED  # or nobody would be asking
        self._foresee(run, exchange, head)
        await self._judge_signature(run, exchange, head, body)
        for stage in (Stage.FORWARDING, Stage.SERVICE):
            run.verdicts[stage] = Verdict.NOT_REACHED
        return run

    def _foresee(self, run: DryRun, exchange: Exchange, head: ClientHead) -> None:
        stages = (Stage.SUBSCRIPTION, Stage.LIMITS)
        if run.lacks(Stage.ROUTE, Stage.CONDITIONS) or run.withheld:
            run.note(stages, Verdict.NOT_REACHED)
            return
        try:
            self.counting.foresee(exchange, head)
        except Refusal as refusal:
            run.note_refusal(stages, refusal)
        else:
            run.note((Stage.SUBSCRIPTION,), Verdict.PASSED if exchange.entitled else Verdict.NOT_ASKED)
            run.note((Stage.LIMITS,), Verdict.PASSED if exchange.limit else Verdict.NOT_ASKED)

    async def _judge_signature(self, run: DryRun, exchange: Exchange, head: ClientHead, body: bytes) -> None:
        stages, route = (Stage.SIGNATURE,), run.admission.route
        if run.lacks(Stage.ROUTE, Stage.REGISTER) or run.withheld or route is None:
            run.note(stages, Verdict.NOT_REACHED)
            return
        if route.signature is SignatureRule.OFF and route.message_signatures is SignatureRule.OFF:
            run.note(stages, Verdict.NOT_ASKED)
            return
        try:
            verdict = await self.judge_signature(exchange, head, body)
        except Refusal as refusal:
            run.note_refusal(stages, refusal)
            return
        if verdict is not None and verdict.refusal is not None:
            run.verdicts[Stage.SIGNATURE], run.remarks[Stage.SIGNATURE] = Verdict.FAILED, verdict.refusal
        else:
            is_judged = verdict is not None or exchange.message_signature is not None
            run.note(stages, Verdict.PASSED if is_judged else Verdict.NOT_ASKED)

    async def _count(self, exchange: Exchange, run: DryRun) -> None:
        for stage, refusal in (run.refusals | run.remarks).items():
            if stage in _GUESSABLE:
                judged = await self.counting.judged(exchange, refusal)
                if judged is not refusal:
                    raise judged

    async def _is_of(self, asker: str | None, own: Leaf | None, other: Leaf | None, now: float) -> bool:
        """Whether `other` says that it is the asking TPP's: an authority vouches for `own`, whose key TLS has proved."""
        if other is None or (asker is None and own is None):
            return False
        try:
            claimed = parse_certificate(other.der).authorisation_number
        except MalformedCertificate:
            return False
        if own is not None:
            asker = asker or await looked_up(lambda: self._number(own, now))
        return claimed is not None and asker == claimed

    def _number(self, own: Leaf, now: float) -> str | None:
        """Return the TPP's number where an authority vouches for it, though the certificate may have expired since."""
        try:
            judge = self.knowledge.judge_of(TPP_STORE)
            return judge.require_trusted(own.der, digest=own.digest, now=now).certificate.authorisation_number
        except Distrusted as distrusted:
            return distrusted.authorisation_number


def _described(own: Request, asked: Asked, leaf: Leaf | None, lines: Sequence[bytes]) -> Request:
    """Return the request in question, over a connection like the one that asks."""
    seen = own.connection
    connection = Connection(listener=seen.listener, address=seen.address, tls=seen.tls, leaf=leaf)
    values = dict(asked.headers)
    return Request(
        connection=connection,
        id=own.id,
        method=asked.method,
        path=asked.path,
        query=asked.query,
        host=own.host,
        authorization=own.authorization,
        tpp_request_id=values.get(b"x-request-id"),
        lines=lines,
    )


def _head(asked: Asked) -> ClientHead:
    try:
        return HeadReader().read(list(asked.headers))
    except AmbiguousHead as error:
        raise Refusal("explain.body", str(error), public_text=f"The question can't be read: headers: {error}.") from error


async def _whole_body(exchange: Exchange, client: Client) -> bytes:
    pieces: list[bytes] = []
    while not client.body_has_ended:
        pieces.append(await client.read())
        exchange.received_bytes += len(pieces[-1])
        if exchange.received_bytes > MOST_BODY_BYTES:
            text = f"The request's body is too large; at most {MOST_BODY_BYTES} bytes are taken."
            raise Refusal("http.body_too_large", f"{exchange.received_bytes} bytes", public_text=text)
    return b"".join(pieces)

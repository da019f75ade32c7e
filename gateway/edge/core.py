"""What the edge does with a request: admit, then forward; a refusal is answered, everything is recorded."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson

from chassis.logs import get_logger
from gateway.admission.admit import Admission
from gateway.admission.memory import NotLoaded
from gateway.admission.refusal import Refusal
from gateway.admission.rendering import Answer, render, style_of
from gateway.audit.exchange import ABORTED, FAILED, REFUSED, Exchange
from gateway.audit.record import RecordWriter
from gateway.changes.feed import StaleFeed
from gateway.edge.client import ClientGone
from gateway.edge.forwarding import Forwarding
from gateway.edge.held_answers import HeldAnswers
from gateway.edge.held_bodies import FREE_BYTES, HeldBodies
from gateway.edge.holders import attributed_to, holder_of
from gateway.edge.judging import Judging
from gateway.edge.passage import Passage
from gateway.edge.slow_clients import SlowClients
from gateway.explain.explainer import Explainer
from gateway.policies.model import ErrorStyle, Listener, Upstream
from gateway.upstreams.faults import UpstreamFault
from psd2.ids import TimeOrderedUuids

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.acme.answers import ChallengeAnswers
    from gateway.admission.knowledge import Knowledge
    from gateway.admission.request import Connection, Request
    from gateway.audit.log import AuditLog
    from gateway.config import GatewaySettings
    from gateway.edge.client import Arrival, Client, SwiftClient
    from gateway.edge.client_head import ClientHead
    from gateway.edge.counting import Counting
    from gateway.edge.message_signatures import RequestSignatures
    from gateway.edge.proof_uses import ProofUses
    from gateway.edge.response_signing import ResponseSigner, Signing
    from gateway.edge.tls.handshake import FailedHandshake
    from gateway.edge.unknown_certificates import UnknownCertificates
    from gateway.edge.upstream.upstreams import Upstreams
    from gateway.metrics.tally import Tally
    from gateway.relays.part import Relays
    from psd2.clock import Clock

_SERVER_ERRORS: Final = 500
_ANSWERED_HERE: Final = frozenset({Upstream.EXPLAIN, Upstream.ACME})


class Edge:
    """The core, without HTTP and without sockets: faces call `serve` for each request."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        upstreams: Upstreams,
        relays: Relays,
        audit: AuditLog,
        settings: GatewaySettings,
        clock: Clock,
        monotonic: Callable[[], float],
        counting: Counting,
        tally: Tally,
        challenges: ChallengeAnswers,
        proof_uses: ProofUses,
        request_signatures: RequestSignatures,
        signer: ResponseSigner,
        unknown_certificates: UnknownCertificates,
    ) -> None:
        """Hold what the exchanges share."""
        self._knowledge = knowledge
        self._upstreams = upstreams
        self._audit = audit
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._counting = counting
        self._tally = tally
        self._proof_uses = proof_uses
        self._judging = Judging(knowledge, relays, request_signatures, settings, self._now)
        self._signer = signer
        self._unknown_certificates = unknown_certificates
        self._records = RecordWriter(redactions=counting.redactions)
        self._ids = TimeOrderedUuids()
        self._challenges = challenges
        self._held_answers = HeldAnswers()
        most_bytes = settings.held_body_bytes
        self._held_bodies = HeldBodies(most_bytes=most_bytes, free_bytes=FREE_BYTES, reason="http.bodies_held")
        self._untaken = HeldBodies(most_bytes=most_bytes, free_bytes=0, reason="http.too_slow")
        self._slow_clients = SlowClients()
        self._explainer = Explainer(
            knowledge=knowledge,
            counting=counting,
            records=self._records,
            judge_signature=partial(self._judging.judge_signature, is_spent=False),
        )

    async def serve(self, arrival: Arrival, client: Client) -> None:
        """Serve one request to its end; raises `ClientGone` after noting it."""
        exchange = self._opened(arrival)
        await self._carried(exchange, arrival.head, client, self._serve(exchange, arrival.head, client))

    def serve_at_once(self, arrival: Arrival, client: SwiftClient) -> Passage | None:
        """Serve a request that is here whole as far as nothing has to be waited for; the same checks, the same record.

        What has to wait goes to `client.go_on`. Returns the passage that is under way, to be handed over if the client leaves.
        """
        exchange = self._opened(arrival)
        try:
            forwarding = self._forwarding_at_once(exchange, arrival.head, client)
        except Exception as error:  # noqa: BLE001 - a refusal, or whatever it is: answered and recorded on the other way
            client.go_on(self._carried(exchange, arrival.head, client, _raised(error)))
            return None
        if forwarding is None:
            client.go_on(self._carried(exchange, arrival.head, client, self._serve(exchange, arrival.head, client)))
            return None
        passage = Passage(forwarding, client, partial(self._carried, exchange, arrival.head, client))
        if passage.begin():
            return passage
        client.go_on(self._carried(exchange, arrival.head, client, forwarding.run()))
        return None

    async def _carried(
        self, exchange: Exchange, head: ClientHead, client: Client, work: Coroutine[object, object, None]
    ) -> None:
        """Do `work` of an exchange; whatever ends it, the client gets an answer, or is told, and the audit trail a record."""
        try:
            await work
        except Refusal as refusal:
            await self._refuse(exchange, head, client, refusal)
        except UpstreamFault as fault:
            self._note_broken_off(exchange, FAILED, fault.reason, str(fault))
            client.abort()
        except ClientGone as gone:
            self._note_broken_off(exchange, ABORTED, gone.reason, str(gone))
            raise
        except asyncio.CancelledError:
            self._note_broken_off(exchange, ABORTED, client.broken_by, "the client has left")
            raise
        except Exception:  # noqa: BLE001 - whatever failed, the client gets an answer and the audit trail a record
            get_logger().exception("edge.fault", request=exchange.request.id)
            if exchange.status:
                self._note_broken_off(exchange, FAILED, "gateway.fault", "see the log")
                client.abort()
            else:
                await self._refuse(exchange, head, client, Refusal("gateway.fault"))

    def refuse_unread(self, connection: Connection, refusal: Refusal) -> Answer:
        """Record bytes that were no request, and return what to answer."""
        now = self._now()
        request_id = self._new_id(now)
        record = self._records.of_unread(
            connection,
            request_id=request_id,
            status=refusal.status,
            reason=refusal.reason,
            detail=refusal.private_detail,
            tpp=self._attributed(connection),
            now=now,
        )
        self._append(record)
        self._tally.note_unread(connection, refusal.reason)
        answer = self.rendered(refusal)
        answer.headers.append((b"x-sandbox-request", request_id.encode("ascii")))
        return answer

    def rendered(self, refusal: Refusal) -> Answer:
        """Return how to refuse something whose path is not known."""
        return render(refusal, ErrorStyle.PROBLEM, sandbox_mode=self._settings.sandbox_mode)

    def holder(self, connection: Connection) -> str | None:
        """Return the TPP whose certificate a connection shows, empty for a partner's; None once it is not let in."""
        return holder_of(connection, self._knowledge, self._now())

    def _attributed(self, connection: Connection) -> str | None:
        return attributed_to(connection, self._knowledge, self._now())

    def note_connection(self, connection: Connection) -> None:
        """Count a connection that has come to HTTP."""
        self._tally.note_connection(connection)

    def note_handshake(self, failure: FailedHandshake) -> None:
        """Record a connection that never came to HTTP."""
        self._tally.note_failure(failure)
        self._append(self._records.of_handshake(failure, now=self._now()))

    def _append(self, record: bytes) -> None:
        """Record something that got in nowhere: where that fails, there is nothing to hold back but the log must say so."""
        try:
            self._audit.append(record)
        except OSError as error:
            get_logger().error("audit.unwritable", error=str(error))
        else:
            self._tally.note_record(len(record))

    def _new_id(self, now: float) -> str:
        # Of this moment: the request log finds the record of an id without reading all that came since.
        return self._ids.new(int(now * 1000))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _serve(self, exchange: Exchange, head: ClientHead, client: Client) -> None:
        if _asks_for_health(exchange.request):
            await self._answer_health(exchange, client)
            return
        self._counting.require_unblocked(exchange.request.connection)
        try:
            self._judging.admit(exchange, exchange.arrived_at)
        except (NotLoaded, StaleFeed):
            await self._judging.admit_after_looking_up(exchange)
        if exchange.admission.proof is not None:
            await self._proof_uses.require_first(exchange.admission.proof)
        await self._counting.spend(exchange, head)
        if _is_answered_here(exchange.admission):
            await self._answer_here(exchange, client)
            return
        await self._forwarding(exchange, head, client).run()

    def _forwarding_at_once(self, exchange: Exchange, head: ClientHead, client: Client) -> Forwarding | None:
        """Admit and return what forwards; None where something has to be looked up first. Raises `Refusal`."""
        if _asks_for_health(exchange.request):
            return None
        self._counting.require_unblocked(exchange.request.connection)
        try:
            self._judging.admit(exchange, exchange.arrived_at)
        except (NotLoaded, StaleFeed):
            return None
        if exchange.admission.proof is not None or _is_answered_here(exchange.admission):
            return None
        if not self._counting.spend_at_once(exchange, head):
            return None
        return self._forwarding(exchange, head, client)

    def _opened(self, arrival: Arrival) -> Exchange:
        now = self._now()
        return Exchange(
            request=arrival.request(self._new_id(now)), admission=Admission(), arrived_at=now, began_at=self._monotonic()
        )

    def _forwarding(self, exchange: Exchange, head: ClientHead, client: Client) -> Forwarding:
        exchange.admitted_at = self._monotonic()
        route = exchange.admission.route
        if route is None:
            raise Refusal("route.unknown")
        pool = self._upstreams.pool_of(route.upstream)
        if pool is None:
            raise Refusal("gateway.unsure", f"the upstream {route.upstream} was taken away in this moment")
        return Forwarding(
            exchange=exchange,
            head=head,
            client=client,
            pool=pool,
            max_body_bytes=self._settings.max_body_bytes,
            monotonic=self._monotonic,
            record=self._record,
            judge_signature=self._judging.judge_signature,
            held_answers=self._held_answers,
            held_bodies=self._held_bodies,
            untaken=self._untaken,
            slow_clients=self._slow_clients,
            signing=self._signer.signing_of(route, exchange.request, head),
        )

    async def _refuse(self, exchange: Exchange, head: ClientHead, client: Client, refusal: Refusal) -> None:
        if exchange.status:
            self._note_broken_off(exchange, FAILED, refusal.reason, refusal.private_detail)
            client.abort()
            return
        if exchange.admission.trusted is None:
            # Before anything is waited for: what is known of the certificate may change meanwhile.
            exchange.refused_tpp = self._attributed(exchange.request.connection)
            self._unknown_certificates.note(exchange, refusal)
        refusal = await self._counting.judged(exchange, refusal)
        route = exchange.admission.route
        style = route.errors if route else style_of(exchange.request.path)
        answer = render(refusal, style, sandbox_mode=self._settings.sandbox_mode)
        exchange.status = refusal.status
        exchange.outcome = FAILED if refusal.status >= _SERVER_ERRORS else REFUSED
        exchange.reason, exchange.detail = refusal.reason, refusal.private_detail
        exchange.text = refusal.public_text if refusal.public_text != refusal.ground.text else None
        await self._answer(exchange, client, answer, self._signer.signing_of_refusal(exchange, refusal, head))

    async def _answer_health(self, exchange: Exchange, client: Client) -> None:
        status = 200 if self._knowledge.feed.is_fresh else 503
        body = orjson.dumps({"status": "ok" if status == 200 else "change feed unreadable"})  # noqa: PLR2004 - OK
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        exchange.status = status
        await self._answer(exchange, client, Answer(status, headers, body))

    async def _answer_here(self, exchange: Exchange, client: Client) -> None:
        if self._explainer.answers(exchange.admission):
            exchange.refused_tpp = self._attributed(exchange.request.connection)
            answer = await self._explainer.answer(exchange, client, now=self._now())
        else:
            answer = await self._challenges.answer(exchange.request.path)
        exchange.status = answer.status
        await self._answer(exchange, client, answer)

    async def _answer(self, exchange: Exchange, client: Client, answer: Answer, signing: Signing | None = None) -> None:
        request = exchange.request
        headers = [
            *answer.headers,
            *exchange.limit_headers,
            (b"server", b"gateway"),
            (b"x-sandbox-request", request.id.encode("ascii")),
        ]
        if request.tpp_request_id is not None:
            headers.append((b"x-request-id", request.tpp_request_id))  # BG IG §4.12: every answer carries it
        if signing is not None:
            headers, exchange.answer_keyid = await signing.signed_refusal(answer.status, headers, answer.body)
        exchange.sent_bytes = len(answer.body)
        self._record(exchange)
        client.start(answer.status, headers)
        client.write(answer.body, last=True)
        await client.drain()

    def _note_broken_off(self, exchange: Exchange, outcome: str, reason: str | None, detail: str) -> None:
        exchange.outcome, exchange.reason, exchange.detail = outcome, reason, detail
        self._record(exchange)

    def _record(self, exchange: Exchange) -> None:
        """Write the audit record; raises `OSError`, upon which the answer is not finished: nothing goes unrecorded."""
        if not exchange.is_recorded:
            ended_at = self._monotonic()
            record = self._records.of_exchange(exchange, ended_at=ended_at)
            self._audit.append(record)
            exchange.is_recorded = True
            self._tally.note_exchange(exchange, ended_at=ended_at, record_bytes=len(record))
            self._counting.settle(exchange)


def _is_answered_here(admission: Admission) -> bool:
    """Whether nothing is forwarded."""
    return admission.route is not None and admission.route.upstream in _ANSWERED_HERE


def _asks_for_health(request: Request) -> bool:
    return request.connection.listener is Listener.WELCOME and request.path == "/health"


async def _raised(error: Exception) -> None:
    raise error

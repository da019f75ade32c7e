"""Wires the edge of one worker: knowledge, pools, audit log, and the tasks that keep them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from gateway.acme.answers import ChallengeAnswers
from gateway.acme.store import SqlChallenges
from gateway.admission.knowledge import Knowledge
from gateway.admission.standing import EndOfStanding
from gateway.admission.store import SqlKnowledgeSource
from gateway.audit.log import AuditLog
from gateway.changes.listening import ChangeListener
from gateway.configuration.files import FileRefused
from gateway.configuration.live import LiveConfiguration, Part
from gateway.configuration.snapshot import SetRefused
from gateway.database import open_gateway_engine
from gateway.documents import document_store
from gateway.dpop.rule import proof_rule
from gateway.edge.client_keys import THREADS as CLIENT_KEY_THREADS
from gateway.edge.client_keys import KeysOfClients
from gateway.edge.core import Edge
from gateway.edge.counters import Counters, counters
from gateway.edge.deadlines import Deadlines
from gateway.edge.message_signatures import RequestSignatures
from gateway.edge.response_signing import ResponseSigner
from gateway.edge.tls.server_names import ServerNames
from gateway.edge.unknown_certificates import UnknownCertificates
from gateway.edge.upstream.upstreams import Upstreams
from gateway.kinds import KINDS
from gateway.metrics.publishing import Publisher
from gateway.oauth.jose.client_key_wiring import client_keys
from gateway.plans.table import Plans
from gateway.policies.kind import Routes
from gateway.relays.part import Relays
from gateway.seeds import apply_documents_of_start
from gateway.trust.model import TPP_STORE
from gateway.trust.ocsp_store import SqlOcspAnswers
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from gateway.config import GatewaySettings
    from gateway.configuration.held import HeldSet
    from gateway.metrics.tally import Tally

_LOOK_UP_THREADS: Final = 6
_KEY_CONNECTIONS: Final = 2  # whoever looks for clients' keys waits for their servers, and for the database hardly ever
_TIDY_SECONDS: Final = 1.0
_SLOWEST_WATCH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What requests are decided by: what is known, and the parts that take each new configuration."""

    knowledge: Knowledge
    configuration: LiveConfiguration
    plans: Plans
    upstreams: Upstreams
    relays: Relays
    server_names: ServerNames


@dataclass(slots=True, kw_only=True)
class EdgeServices:
    """What one worker's edge is made of."""

    edge: Edge
    decisions: Decisions
    deadlines: Deadlines
    audit: AuditLog
    listener: ChangeListener
    counters: Counters
    publisher: Publisher
    client_keys: KeysOfClients
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def run(self) -> None:
        """Start what goes on in the background."""
        loop = asyncio.get_running_loop()
        works = {"feed": self.decisions.knowledge.feed.follow(), "deadlines": self.deadlines.keep(), "tidy": self._tidy()}
        for name, work in works.items():
            task = loop.create_task(work, name=name)
            task.add_done_callback(_require_alive)
            self.tasks.append(task)
        self.listener.start()

    async def stop(self) -> None:
        """End it, and close what was open."""
        self.listener.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.decisions.upstreams.stop()
        await self.counters.stop()
        self.client_keys.stop()
        self.decisions.configuration.stop()
        self.decisions.knowledge.stop()
        self.publisher.publish({}, now=0.0)  # what was counted stays, what there is does not
        self.audit.close()

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            self.counters.tidy()
            self.decisions.upstreams.tidy()
            self.publish()

    def publish(self) -> None:
        """Tell what there is at the moment, beside what has been counted."""
        now = SystemClock().now().timestamp()
        gauges = {
            "upstreams": self.decisions.upstreams.counts(),
            "targets": self.decisions.upstreams.conditions(),
            "feed_lag_seconds": self.decisions.knowledge.feed.lag_seconds,
            "soonest_expiry": self.publisher.tally.soonest_expiry(now),
        }
        self.publisher.publish(gauges, now=now)


def _epoch_seconds() -> float:
    return SystemClock().now().timestamp()


def _require_alive(task: asyncio.Task[None]) -> None:
    """End the worker where a task that should go on for ever has ended: without its watch it must not serve."""
    if not task.cancelled():
        get_logger().error("edge.task_ended", task=task.get_name(), error=repr(task.exception()))
        os.kill(os.getpid(), signal.SIGTERM)


async def edge_services(settings: GatewaySettings, held: HeldSet) -> EdgeServices:
    """Return the running services; raises what an unusable setting, file or database raises.

    `held` is what this worker shares with the others of its server.
    """
    deadlines = Deadlines(every_seconds=_watch_seconds(settings))
    engine = await _open_engine(settings)
    decisions = await _decisions(engine, settings, deadlines, held)
    counts = await counters(settings, engine, decisions.plans, SystemClock())
    decisions.knowledge.when_blocked(counts.guard.note_block)
    audit = AuditLog(settings.audit_path, rotate_bytes=settings.audit_file_bytes, kept=settings.audit_files_kept)
    publisher = Publisher(settings.metrics_path, audit)
    keys = KeysOfClients(client_keys(settings, threads=CLIENT_KEY_THREADS, engine=engine, clock=SystemClock()))
    wake_feed = partial(asyncio.get_running_loop().call_soon_threadsafe, decisions.knowledge.feed.wake)
    services = EdgeServices(
        edge=_edge(settings, engine, decisions, counts=counts, audit=audit, tally=publisher.tally, keys=keys),
        decisions=decisions,
        deadlines=deadlines,
        audit=audit,
        listener=ChangeListener(engine, wake_feed),
        counters=counts,
        publisher=publisher,
        client_keys=keys,
    )
    services.run()
    return services


def _edge(
    settings: GatewaySettings,
    engine: Engine,
    decisions: Decisions,
    *,
    counts: Counters,
    audit: AuditLog,
    tally: Tally,
    keys: KeysOfClients,
) -> Edge:
    """Return what serves requests, made of what this worker has."""
    clock = SystemClock()
    return Edge(
        knowledge=decisions.knowledge,
        upstreams=decisions.upstreams,
        relays=decisions.relays,
        audit=audit,
        settings=settings,
        clock=clock,
        monotonic=time.monotonic,
        counting=counts.counting,
        tally=tally,
        challenges=ChallengeAnswers(SqlChallenges(engine), clock),
        proof_uses=counts.proof_uses,
        request_signatures=RequestSignatures(
            knowledge=decisions.knowledge,
            keys=keys,
            uses=counts.proof_uses,
            seconds=settings.message_signature_seconds,
            clock=_epoch_seconds,
        ),
        signer=ResponseSigner(decisions.upstreams, most_bytes=settings.signed_response_bytes, clock=_epoch_seconds),
        unknown_certificates=UnknownCertificates(decisions.upstreams, monotonic=time.monotonic),
    )


async def _open_engine(settings: GatewaySettings) -> Engine:
    """Open the database for as many look-ups at a time as there are threads for them, clients' keys, and the feed's own."""
    pool = ThreadPoolExecutor(_LOOK_UP_THREADS, thread_name_prefix="look-up")
    asyncio.get_running_loop().set_default_executor(pool)
    return await asyncio.to_thread(
        partial(open_gateway_engine, settings.database_url, threads=_LOOK_UP_THREADS + _KEY_CONNECTIONS + 1)
    )


async def _decisions(engine: Engine, settings: GatewaySettings, deadlines: Deadlines, held: HeldSet) -> Decisions:
    """Return what requests are decided by, loaded."""
    source = SqlKnowledgeSource(engine)
    routes, plans = Routes(), Plans()
    knowledge = Knowledge(
        source=source,
        routes=routes,
        settings=settings,
        monotonic=time.monotonic,
        answers=SqlOcspAnswers(engine),
        name_points=source.name_crl_points,
        proofs=proof_rule(settings),
    )
    upstreams, relays, server_names = Upstreams(settings, deadlines), Relays(), ServerNames(settings.home)
    # All of these take a new set at the same moment, or none does.
    parts: list[Part] = [routes, plans, upstreams, relays, knowledge.trust_stores, server_names]
    configuration = await _configuration(engine, settings, parts, held)
    knowledge.when_configured(configuration.renew)
    parts.append(EndOfStanding(knowledge))
    # In this order: what changes while the configuration is read, the feed tells of.
    await knowledge.start()
    await configuration.start()
    await knowledge.judges.load(TPP_STORE)  # by the rules that stand now
    return Decisions(
        knowledge=knowledge,
        configuration=configuration,
        plans=plans,
        upstreams=upstreams,
        relays=relays,
        server_names=server_names,
    )


async def _configuration(engine: Engine, settings: GatewaySettings, parts: Sequence[Part], held: HeldSet) -> LiveConfiguration:
    """Return the configuration that these parts decide by, all documents of the start applied."""
    try:
        await asyncio.to_thread(apply_documents_of_start, engine, settings)
    except (SetRefused, FileRefused) as error:
        if held.keys() is None:
            raise
        # A worker that starts anew in a server that is serving: what is wrong with files must not end the others.
        get_logger().error("configuration.start_refused", error=str(error))
    return LiveConfiguration(source=document_store(engine, settings), kinds=KINDS, parts=parts, held=held)


def _watch_seconds(settings: GatewaySettings) -> float:
    """Look often enough for the shortest deadline."""
    shortest = min(
        settings.head_seconds,
        settings.body_seconds,
        settings.stall_seconds,
        settings.idle_seconds,
        settings.upstream_head_seconds,
        settings.upstream_stall_seconds,
    )
    return min(_SLOWEST_WATCH_SECONDS, shortest / 4)

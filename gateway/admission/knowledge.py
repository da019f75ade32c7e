"""What one edge worker knows: routes, whom it trusts, which TPPs, clients and tokens there are, and how fresh all that is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from chassis.logs import get_logger
from gateway.admission.crl_points import PointNotes
from gateway.admission.judges import Judges
from gateway.admission.memory import Memory
from gateway.admission.refusal import Refusal
from gateway.admission.statuses import Statuses
from gateway.changes.feed import ChangeFeed, ChangeSource, StaleFeed
from gateway.changes.kinds import EVERYTHING, ChangeKind
from gateway.dpop.rule import DEFAULT_RULE
from gateway.register.model import TppStatus
from gateway.trust.fetching import Fetcher
from gateway.trust.judgement import Judge
from gateway.trust.model import TPP_STORE
from gateway.trust.ocsp_client import OcspClient
from gateway.trust.stores import TrustStores
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.admission.tokens import AccessToken
    from gateway.changes.kinds import Change
    from gateway.config import GatewaySettings
    from gateway.dpop.rule import ProofRule
    from gateway.policies.kind import Routes
    from gateway.policies.matching import RouteTable
    from gateway.register.model import Client, Tpp
    from gateway.trust.ocsp_client import KeptAnswers
    from gateway.trust.snapshot import TrustSnapshot

_STORE_KINDS: Final = frozenset({ChangeKind.TRUST_STORE, ChangeKind.CRL})


class KnowledgeSource(ChangeSource, Protocol):
    """The gateway's database as the edge reads it; all calls block."""

    def token(self, sha256: str) -> AccessToken | None:
        """Return the access token whose SHA-256 (hex) this is."""

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP."""

    def client(self, client_id: str) -> Client | None:
        """Return the client."""

    def certificate_holders(self, sha256: str) -> tuple[str, ...]:
        """Return the ids of the clients that have registered a self-signed certificate."""

    def trust_snapshot(self, store: str) -> TrustSnapshot:
        """Return the present state of a trust store."""


class Watcher(Protocol):
    """Hears where trust may have shrunk, to part with those who leaned on it."""

    def trust_changed(self) -> None:
        """Judge every open connection anew."""

    def tpp_barred(self, authorisation_number: str) -> None:
        """Part with this TPP."""


class Knowledge:
    """The state of the checks. `start` it before the first request, `follow` the feed as long as it serves."""

    def __init__(
        self,
        *,
        source: KnowledgeSource,
        routes: Routes,
        settings: GatewaySettings,
        monotonic: Callable[[], float],
        answers: KeptAnswers | None = None,
        name_points: Callable[[str, list[str]], None] | None = None,
        proofs: ProofRule = DEFAULT_RULE,
    ) -> None:
        """Know nothing but the routes as yet."""
        self._source = source
        self._settings = settings
        self._watchers: list[Watcher] = []
        self._renew_configuration: Callable[[], None] = lambda: None
        self._note_block: Callable[[str], None] = lambda _key: None
        self._renewals: set[asyncio.Task[None]] = set()
        self.state = 0
        self._routes = routes
        self.proofs = proofs
        self.tokens: Memory[AccessToken] = Memory(source.token, most=settings.remembered)
        self.tpps: Memory[Tpp] = Memory(source.tpp, most=settings.remembered)
        self.clients: Memory[Client] = Memory(source.client, most=settings.remembered)
        self.certificate_holders: Memory[tuple[str, ...]] = Memory(source.certificate_holders, most=settings.remembered)
        self.judges = Judges(self._read_judge, on_renewed=self._tell_of_trust)
        self.trust_stores = TrustStores(settings)
        self.trust_stores.when_changed(self.judges.renew)
        self._statuses = self._responders(answers) if answers else None
        self._points = PointNotes(name_points) if name_points else None
        self.feed = ChangeFeed(
            source,
            self._on_change,
            poll_seconds=settings.poll_seconds,
            stale_seconds=settings.stale_seconds,
            monotonic=monotonic,
        )

    async def start(self) -> None:
        """Find the feed's end, then learn whom to trust; raises what the database raises."""
        await self.feed.start()
        if self._statuses is not None:
            self._statuses.start()
        await self.judges.load(TPP_STORE)

    def stop(self) -> None:
        """Follow nothing any longer."""
        self.judges.stop()
        if self._statuses is not None:
            self._statuses.stop()
        self.feed.stop()

    def changed(self) -> None:
        """Let no admission stand that was given before: something that the checks read is not what it was."""
        self.state += 1

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` where trust may have shrunk."""
        self._watchers.append(watcher)

    def when_configured(self, renew: Callable[[], None]) -> None:
        """Call `renew` whenever the configuration may have changed."""
        self._renew_configuration = renew

    def when_blocked(self, note: Callable[[str], None]) -> None:
        """Call `note` with the key of each change that blocks an address, or lets it in again."""
        self._note_block = note

    @property
    def routes(self) -> RouteTable:
        """The routes in force: a request asks once and goes on with what it was given."""
        return self._routes.table

    @property
    def judge(self) -> Judge:
        """The judge of TPPs' certificates; raises `NotLoaded`."""
        return self.judges.of(TPP_STORE)

    def judge_of(self, store: str) -> Judge:
        """Return the judge of a trust store's newest state; raises `NotLoaded`."""
        return self.judges.of(store)

    async def require_fresh(self) -> None:
        """Raise 503 where revocations could have been missed."""
        try:
            await self.feed.require_fresh()
        except StaleFeed as error:
            raise Refusal("gateway.unsure", "the change feed can't be read") from error

    def _responders(self, answers: KeptAnswers) -> Statuses:
        clock = SystemClock()
        client = OcspClient(
            answers=answers,
            fetcher=Fetcher(),
            clock=clock,
            rules_of=self.trust_stores.rules_of,
            revoked_by=self.judges.listed_by,
        )
        return Statuses(client.answer, kept=client.kept, clock=clock, on_refusal=self.judges.forget_verdicts)

    def _read_judge(self, store: str) -> Judge:
        # The rules first: where they change meanwhile, the judge is made anew.
        rules = self.trust_stores.rules_of(store)
        snapshot = self.trust_stores.completed(store, self._source.trust_snapshot(store))
        return Judge(snapshot, rules, ocsp=self._statuses, points=self._points, store=store)

    def _on_change(self, change: Change) -> None:
        self.changed()
        if change.kind == EVERYTHING:
            self._forget_everything()
        elif change.kind in _STORE_KINDS:
            self.judges.renew(change.key)
        elif change.kind == ChangeKind.BLOCK_LIST:
            self.judges.renew_all()
        elif change.kind == ChangeKind.OCSP:
            self._answer_changed(change.key)
        elif change.kind == ChangeKind.CONFIGURATION:
            self._renew_configuration()
        elif change.kind == ChangeKind.BLOCKED_ADDRESS:
            self._note_block(change.key)
        else:
            self._forget(change)

    def _forget(self, change: Change) -> None:
        memories: dict[str, Memory[Any]] = {
            ChangeKind.TPP: self.tpps,
            ChangeKind.CLIENT: self.clients,
            ChangeKind.CLIENT_CERTIFICATE: self.certificate_holders,
        }
        memory = memories.get(change.kind, self.tokens)
        if change.key == EVERYTHING:
            memory.forget_all()
        else:
            memory.forget(change.key)
        if change.kind == ChangeKind.TPP:
            self._in_background(self._bar_if_inactive(change.key))

    def _answer_changed(self, key: str) -> None:
        if self._statuses is not None:
            self._statuses.changed(key)

    def _forget_everything(self) -> None:
        for memory in (self.tokens, self.tpps, self.clients, self.certificate_holders):
            memory.forget_all()
        if self._statuses is not None:
            self._statuses.forget_all()
        self._renew_configuration()
        self.judges.renew_all()

    def _tell_of_trust(self) -> None:
        self.changed()
        for watcher in self._watchers:
            watcher.trust_changed()

    async def _bar_if_inactive(self, authorisation_number: str) -> None:
        await self.tpps.load(authorisation_number)
        tpp = self.tpps.known(authorisation_number)
        if tpp is None or tpp.status is not TppStatus.ACTIVE:
            for watcher in self._watchers:
                watcher.tpp_barred(authorisation_number)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._renewals.add(task)
        task.add_done_callback(self._renewed)

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewals.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # What could not be read stays forgotten: the next request that needs it reads it, or is refused.
            get_logger().error("knowledge.unreadable", error=str(task.exception()))

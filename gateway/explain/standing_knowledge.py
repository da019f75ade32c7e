"""What the checks need, as it stands in the database: for a process that follows no change feed.

Read anew where anything has changed since the last question; of TPPs, clients and tokens nothing is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from gateway.admission.memory import Memory
from gateway.dpop.rule import proof_rule
from gateway.plans.table import Plans
from gateway.policies.kind import Routes
from gateway.trust.judgement import Judge
from gateway.trust.ocsp_client import OcspClient
from gateway.trust.stores import TrustStores

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from cryptography import x509

    from gateway.admission.store import SqlKnowledgeSource
    from gateway.admission.tokens import AccessToken
    from gateway.config import GatewaySettings
    from gateway.configuration.snapshot import Snapshot
    from gateway.dpop.rule import ProofRule
    from gateway.policies.matching import RouteTable
    from gateway.register.model import Client, Tpp
    from gateway.trust.fetching import Fetcher
    from gateway.trust.ocsp_client import KeptAnswers
    from gateway.trust.ocsp_status import OcspStatus, Question
    from psd2.clock import Clock

_Value = TypeVar("_Value")
_NOTHING: Final = -1


class ReadAtOnce(Memory[_Value]):
    """A memory that remembers nothing: each look reads, in the thread that asks."""

    def __init__(self, read: Callable[[str], _Value | None]) -> None:
        """Look things up by `read`, which blocks."""
        super().__init__(read, most=0)
        self._look = read

    def known(self, key: str) -> _Value | None:
        """Return what is there."""
        return self._look(key)


class StandingKnowledge:
    """Routes, plans and whom to trust. Not to be used by two threads at a time; `renew` before each use."""

    def __init__(
        self,
        settings: GatewaySettings,
        source: SqlKnowledgeSource,
        configured: Callable[[], Snapshot],
        *,
        answers: KeptAnswers,
        fetcher: Fetcher,
        clock: Clock,
    ) -> None:
        """Know nothing yet; `configured` returns the set of documents that stands."""
        self.source = source
        self.plans = Plans()
        self._routes = Routes()
        self._trust_stores = TrustStores(settings)
        self._proofs = proof_rule(settings)
        self._configured = configured
        self._judges: dict[str, Judge] = {}
        self._position = _NOTHING
        self._ocsp = OcspClient(
            answers=answers,
            fetcher=fetcher,
            clock=clock,
            rules_of=self._trust_stores.rules_of,
            revoked_by=self._listed_by,
        )

    @property
    def routes(self) -> RouteTable:
        """The routes that stand."""
        return self._routes.table

    @property
    def proofs(self) -> ProofRule:
        """What is asked of proofs of possession."""
        return self._proofs

    def renew(self) -> None:
        """Read what has changed since; raises `SetRefused`, and what the database raises."""
        position = self.source.newest_position()
        if position == self._position:
            return
        snapshot = self._configured()
        for put_in_force in [part.prepare(snapshot) for part in (self._routes, self.plans, self._trust_stores)]:
            put_in_force()
        self._judges.clear()
        self._position = position

    def judge_of(self, store: str) -> Judge:
        """Return the judge of a trust store."""
        judge = self._judges.get(store)
        if judge is None:
            snapshot = self._trust_stores.completed(store, self.source.trust_snapshot(store))
            judge = self._judges[store] = Judge(snapshot, self._trust_stores.rules_of(store), ocsp=self, store=store)
        return judge

    def status(self, question: Question, _now: float, _revoked: Container[int]) -> OcspStatus:
        """Return what the responder says, who is asked where no answer is kept."""
        return self._ocsp.answer(question)

    def _listed_by(self, store: str, issuer: x509.Certificate) -> Container[int]:
        return self.judge_of(store).listed_by(issuer)


@dataclass(slots=True)
class KnownOfOne:
    """`Known` to one TPP: of the tokens that there are, its own one in question, and of nobody else's anything."""

    standing: StandingKnowledge
    token: AccessToken | None
    tokens: Memory[AccessToken] = field(init=False)
    tpps: Memory[Tpp] = field(init=False)
    clients: Memory[Client] = field(init=False)
    certificate_holders: Memory[tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Look up what is asked for."""
        self.tokens = ReadAtOnce(lambda _sha256: self.token)
        self.tpps = ReadAtOnce(self.standing.source.tpp)
        self.clients = ReadAtOnce(self.standing.source.client)
        self.certificate_holders = ReadAtOnce(self.standing.source.certificate_holders)

    @property
    def routes(self) -> RouteTable:
        """The routes that stand."""
        return self.standing.routes

    @property
    def proofs(self) -> ProofRule:
        """What is asked of proofs of possession."""
        return self.standing.proofs

    def judge_of(self, store: str) -> Judge:
        """Return the judge of a trust store."""
        return self.standing.judge_of(store)

"""What is known, for judging the certificate of somebody who has not proved to be its holder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.admission.memory import Memory

if TYPE_CHECKING:
    from gateway.admission.admit import Known
    from gateway.admission.routes import RouteSource
    from gateway.admission.tokens import AccessToken
    from gateway.dpop.rule import ProofRule
    from gateway.policies.model import Listener, Route
    from gateway.register.model import Client, Tpp
    from gateway.trust.judgement import Judge


class _Nothing(Memory[tuple[str, ...]]):
    """A memory that knows that there is nothing."""

    def known(self, key: str) -> None:
        del key


NOTHING: Final = _Nothing(lambda _key: None, most=0)


@dataclass(frozen=True, slots=True)
class DiscreetRoutes:
    """Routes without their lists of certificates and names: whom they name is no stranger's business."""

    routes: RouteSource

    def route_of(self, listener: Listener, method: str, path: str) -> Route:
        """Return the route; raises what the routes in force raise."""
        return replace(self.routes.route_of(listener, method, path), certificate=None)


@dataclass(frozen=True, slots=True)
class DiscreetKnowledge:
    """`Knowledge` that tells nothing of block list, allow-lists and register; steps that need them are withheld."""

    known: Known

    @property
    def routes(self) -> RouteSource:
        """The routes in force, without their lists."""
        return DiscreetRoutes(self.known.routes)

    @property
    def tokens(self) -> Memory[AccessToken]:
        """Tokens: whoever asks has brought one."""
        return self.known.tokens

    @property
    def tpps(self) -> Memory[Tpp]:
        """TPPs."""
        return self.known.tpps

    @property
    def clients(self) -> Memory[Client]:
        """Clients."""
        return self.known.clients

    @property
    def certificate_holders(self) -> Memory[tuple[str, ...]]:
        """Nobody: who has registered a certificate is its holder's business."""
        return NOTHING

    @property
    def proofs(self) -> ProofRule:
        """What is asked of proofs."""
        return self.known.proofs

    def judge_of(self, store: str) -> Judge:
        """Return a judge that does not look at the block list; raises `NotLoaded`."""
        return self.known.judge_of(store).discreet()

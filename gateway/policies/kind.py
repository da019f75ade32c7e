"""Deployments as a kind of document, and the table of routes that a worker serves by."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Final

from gateway.configuration.model import Kind, Reference
from gateway.policies import overlaps, search_cost
from gateway.policies.bodies import DeploymentBody
from gateway.policies.descriptions import described
from gateway.policies.documents import parse
from gateway.policies.matching import RouteTable
from gateway.policies.model import Upstream
from gateway.policies.terms import DEFAULT_TRUST_STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.configuration.model import Fault
    from gateway.configuration.snapshot import Snapshot
    from gateway.policies.model import Deployment, Route

_BUILT_IN: Final = frozenset(Upstream)


def _references(deployment: Deployment) -> Iterator[Reference]:
    stores = {route.trust_store for route in deployment.routes}
    upstreams = {route.upstream for route in deployment.routes}
    for number, route in enumerate(deployment.routes):
        if route.upstream not in _BUILT_IN:
            field = "upstream" if len(upstreams) == 1 else f"routes[{number}].upstream"
            yield Reference(field, "upstreams", route.upstream)
        if route.trust_store != DEFAULT_TRUST_STORE:
            field = "trust_store" if len(stores) == 1 else f"routes[{number}].trust_store"
            yield Reference(field, "trust-stores", route.trust_store)


def _conflicts(snapshot: Snapshot) -> Iterable[Fault]:
    deployments = snapshot.of(DEPLOYMENTS).values()
    # The cheaper first: who gets its fault need not wait for the other.
    return [*search_cost.conflicts(deployments)] or overlaps.conflicts(deployments)


DEPLOYMENTS: Final[Kind[Deployment]] = Kind(
    name="deployments",
    summary="APIs at the edge: paths, and what is asked of requests",
    parse=parse,
    schema=DeploymentBody.model_json_schema,
    references=_references,
    conflicts=_conflicts,
    describe=described,
)


class Routes:
    """The routes in force: a part of the live configuration."""

    def __init__(self) -> None:
        """Begin with none."""
        self.table = RouteTable(())
        self._made_of: tuple[Deployment, ...] = ()

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Build the table of a snapshot, unless only other documents have changed; what is returned puts it in force."""
        deployments = tuple(snapshot.of(DEPLOYMENTS).values())
        table = self.table if _are_the_same(deployments, self._made_of) else RouteTable(_routes(deployments))

        def put_in_force() -> None:
            self.table, self._made_of = table, deployments

        return put_in_force


def _are_the_same(some: tuple[Deployment, ...], others: tuple[Deployment, ...]) -> bool:
    """Whether these are the very same: what has not changed is not parsed anew (`gateway.configuration.snapshot`)."""
    return len(some) == len(others) and all(map(is_, some, others))


def _routes(deployments: Iterable[Deployment]) -> Iterator[Route]:
    for deployment in deployments:
        yield from deployment.routes

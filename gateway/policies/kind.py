"""Deployments as a kind of document, and the table of routes that a worker serves by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.configuration.model import Kind, Reference
from gateway.policies.bodies import DeploymentBody
from gateway.policies.descriptions import described
from gateway.policies.documents import parse
from gateway.policies.matching import RouteTable
from gateway.policies.overlaps import conflicts
from gateway.policies.terms import DEFAULT_TRUST_STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.configuration.model import Fault
    from gateway.configuration.snapshot import Snapshot
    from gateway.policies.model import Deployment, Route


def _references(deployment: Deployment) -> Iterator[Reference]:
    for number, route in enumerate(deployment.routes):
        place = f"routes[{number}]"
        if route.trust_store != DEFAULT_TRUST_STORE:
            yield Reference(f"{place}.trust_store", "trust-stores", route.trust_store)


def _conflicts(snapshot: Snapshot) -> Iterable[Fault]:
    return conflicts(snapshot.of(DEPLOYMENTS).values())


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

    def __init__(self, table: RouteTable | None = None) -> None:
        """Begin with none, or with these."""
        self.table = table or RouteTable(())

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Build the table of a snapshot; what is returned puts it in force."""
        table = RouteTable(_routes(snapshot.of(DEPLOYMENTS).values()))

        def put_in_force() -> None:
            self.table = table

        return put_in_force


def _routes(deployments: Iterable[Deployment]) -> Iterator[Route]:
    for deployment in deployments:
        yield from deployment.routes

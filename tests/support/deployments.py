"""Deployments for tests: those that come with the gateway, and such as a test writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.configuration.files import parse_documents
from gateway.configuration.model import Document
from gateway.configuration.snapshot import Snapshot, SnapshotReader
from gateway.configuration.versions import Origin, Version, canonical
from gateway.kinds import KINDS
from gateway.policies.documents import parse
from gateway.policies.kind import DEPLOYMENTS, Routes
from gateway.seeds import packaged_documents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.policies.model import Deployment, Route


@dataclass(frozen=True, slots=True)
class Deployments:
    """All deployments of one snapshot."""

    all: tuple[Deployment, ...]

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of all of them."""
        return tuple(route for deployment in self.all for route in deployment.routes)


def snapshot_of(documents: Iterable[Document]) -> Snapshot:
    """Read these documents as workers do; raises `SetRefused`."""
    return SnapshotReader(KINDS).read(versions(documents))


def versions(documents: Iterable[Document]) -> list[Version]:
    """Return the documents as they are stored."""
    return [
        Version(kind=each.kind, name=each.name, number=1, text=canonical(each.body), origin=Origin.OPERATOR, actor="test", at=0)
        for each in documents
    ]


def deployments(text: str) -> Deployments:
    """Read TOML; raises `SetRefused`, `FileRefused`."""
    return _all(snapshot_of(parse_documents(text, where="test")))


def shipped_deployments() -> Deployments:
    """Return the deployments that come with the gateway."""
    return _all(snapshot_of(packaged_documents()))


def _all(snapshot: Snapshot) -> Deployments:
    return Deployments(tuple(snapshot.of(DEPLOYMENTS).values()))


def routes_of(text: str) -> Routes:
    """Return the routes of deployments in TOML, in force."""
    return _in_force(snapshot_of(parse_documents(text, where="test")))


def shipped_routes() -> Routes:
    """Return the routes that come with the gateway, in force."""
    return _in_force(snapshot_of(packaged_documents()))


def _in_force(snapshot: Snapshot) -> Routes:
    routes = Routes()
    routes.prepare(snapshot)()
    return routes


def deployment(*routes: dict[str, Any], name: str = "one", **fields: Any) -> Deployment:
    """Parse a deployment at the TPPs' listener, to the bank, that wants a certificate, but for what is said."""
    usual = {"listener": "edge", "upstream": "bank", "mtls": "required"}
    body = usual | fields | {"routes": list(routes) or [{"path": "/things", "methods": ["GET"]}]}
    return parse(Document("deployments", name, body))


def only_route(route: dict[str, Any] | None = None, **fields: Any) -> Route:
    """Return the one route, `GET /things`, of a deployment; `route` is what it says itself."""
    (only,) = deployment({"path": "/things", "methods": ["GET"]} | (route or {}), **fields).routes
    return only

"""Snapshots of a tenant: taken, listed, restored, deleted (docs/test-data.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from flask import Blueprint, Response, request
from pydantic import StringConstraints

from bank_backend.answers import json_answer
from bank_backend.bodies import Body, read_internal_body
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import Restored
from bank_backend.openapi.shapes.sandbox import Snapshot as SnapshotAnswer
from bank_backend.openapi.shapes.sandbox import Snapshots as SnapshotsAnswer
from bank_backend.tenants.addresses import TenantRoutes

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.services import Services
    from bank_backend.snapshots.model import Replaced, Snapshot
    from bank_backend.snapshots.service import Snapshots
    from psd2.ids import TenantId


class SnapshotBody(Body):
    """`POST …/snapshots`."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("snapshots", __name__)
    views, addresses = _Views(services.test_data.snapshots), TenantRoutes(routes, services.tenants)
    addresses.add("/snapshots", views.list_snapshots, "GET")
    addresses.add_heavy("/snapshots", views.take_snapshot, "POST", gate=services.heavy_work)
    addresses.add("/snapshots/<name>", views.get_snapshot, "GET")
    addresses.add("/snapshots/<name>", views.delete_snapshot, "DELETE")
    addresses.add_heavy("/snapshots/<name>/restore", views.restore_snapshot, "POST", gate=services.heavy_work)
    app.register_blueprint(routes)


class _Views:
    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @operation("List snapshots", answers={200: SnapshotsAnswer})
    def list_snapshots(self, tenant: TenantId) -> Response:
        return json_answer({"snapshots": [snapshot_json(one) for one in self._snapshots.all(tenant)]})

    @operation("Take a snapshot of all that the tenant has", body=SnapshotBody, answers={201: SnapshotAnswer})
    def take_snapshot(self, tenant: TenantId) -> Response:
        body = read_internal_body(request.get_data(), SnapshotBody)
        return json_answer(snapshot_json(self._snapshots.take(tenant, body.name)), status=201)

    @operation("Read what a snapshot holds", answers={200: SnapshotAnswer})
    def get_snapshot(self, tenant: TenantId, name: str) -> Response:
        return json_answer(snapshot_json(self._snapshots.one(tenant, name)))

    @operation("Delete a snapshot", answers={204: None})
    def delete_snapshot(self, tenant: TenantId, name: str) -> Response:
        self._snapshots.delete(tenant, name)
        return Response(status=204)

    @operation("Bring back what a snapshot holds", answers={200: Restored})
    def restore_snapshot(self, tenant: TenantId, name: str) -> Response:
        return json_answer({"snapshot": name, **replaced_json(self._snapshots.restore(tenant, name))})


def snapshot_json(snapshot: Snapshot) -> dict[str, object]:
    """Write what is told of a snapshot."""
    return {
        "name": snapshot.name,
        "takenAt": snapshot.taken_at.isoformat(timespec="seconds"),
        "clock": snapshot.tenant_time.isoformat(timespec="seconds"),
        "rows": snapshot.rows,
        "bytes": snapshot.bytes,
    }


def replaced_json(replaced: Replaced) -> dict[str, object]:
    """Write what a replacement came to."""
    return {
        "rowsRemoved": replaced.removed,
        "rowsWritten": replaced.written,
        "clock": replaced.tenant_time.isoformat(timespec="seconds"),
    }

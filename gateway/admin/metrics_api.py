"""`GET /metrics`: what the edge has counted, for Prometheus; callers are those of the control API, and the monitor `health`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from chassis.serving.callers import METRICS_PATH
from gateway.admin.operations import operation
from gateway.metrics.exposition import CONTENT_TYPE, exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.metrics.expiry import Expiry
    from gateway.metrics.publishing import Published
    from psd2.clock import Clock


def metrics_blueprint(
    workers: Callable[[], Sequence[Published]],
    expiries: Callable[[], Iterable[Expiry]],
    order_failures: Callable[[], Mapping[str, int]],
    unshipped_bytes: Callable[[], int],
    clock: Clock,
) -> Blueprint:
    """Return the resource."""
    api = Blueprint("metrics", __name__)

    @api.get(METRICS_PATH)
    @operation("What the edge has counted, in Prometheus' text format")
    def get_metrics() -> Response:
        page = exposition(workers(), expiries(), clock.now(), order_failures(), unshipped_bytes())
        return Response(page, content_type=CONTENT_TYPE)

    return api

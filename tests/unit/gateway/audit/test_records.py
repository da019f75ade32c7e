"""What a record tells of a request, and what it keeps to itself."""

from __future__ import annotations

import orjson
import pytest

from gateway.admission.admit import Admission
from gateway.admission.request import Connection, Request
from gateway.audit.record import Exchange, RecordWriter
from gateway.policies.matching import RouteTable
from gateway.policies.model import Listener
from gateway.policies.reading import read_deployments

ROUTES = RouteTable(read_deployments(None))


def recorded_path(path: str) -> str:
    request = Request(
        connection=Connection(listener=Listener.FRONT, address="192.0.2.1", tls=None, leaf=None),
        id="request-1",
        method="GET",
        path=path,
        query=b"code=a-code",
        host="localhost:8441",
        authorization=None,
        tpp_request_id=None,
    )
    admission = Admission(route=ROUTES.route_of(Listener.FRONT, "GET", path))
    exchange = Exchange(request=request, admission=admission, began_at=0.0)
    return str(orjson.loads(RecordWriter().of_exchange(exchange, now=0.0, ended_at=0.0))["path"])


def test_a_one_time_id_is_not_recorded() -> None:
    """It brings the PSU's decision back to the authorization server, and the audit trail is read by many."""
    assert recorded_path("/authorize/resume/a-one-time-id") == "/authorize/resume/{secret}"


@pytest.mark.parametrize("path", ["/authorize", "/authorize/style.css", "/psu/3f2504e0-4f89-11d3-9a0c-0305e82c3301"])
def test_other_paths_are_recorded_as_they_are(path: str) -> None:
    """Without their query."""
    assert recorded_path(path) == path

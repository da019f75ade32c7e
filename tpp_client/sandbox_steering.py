"""Steering one's own tenant of the sandbox: its clock, snapshots, faults and personality (`/sandbox/v1`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from tpp_client.documents import document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Xs2a


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantTime:
    """What the tenant's clock shows, and how many tasks its move has set off."""

    now: datetime
    tasks_run: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault to provoke, such as `kind="error", status=503` on `GET /v1/accounts` for the next two calls."""

    kind: str
    path: str
    method: str = "*"
    calls: int | None = None
    status: int | None = None
    milliseconds: int | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the request body."""
        optional = {"calls": self.calls, "status": self.status, "milliseconds": self.milliseconds, "reason": self.reason}
        told = {name: value for name, value in optional.items() if value is not None}
        return {"kind": self.kind, "path": self.path, "method": self.method, **told}


def clock_request(xs2a: Xs2a) -> HttpResponse:
    """Ask for the tenant's time."""
    return xs2a.get("/sandbox/v1/clock")


def clock_advance_request(xs2a: Xs2a, *, by: str) -> HttpResponse:
    """Put the tenant's clock forward by an ISO 8601 duration such as `P1D`; what falls due is done before the answer."""
    return xs2a.post("/sandbox/v1/clock/advance", {"by": by})


def process_clock_response(response: HttpResponse) -> TenantTime:
    """Judge the clock's answer, of asking and of moving."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    text = document.text("now")
    try:
        now = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{document.where}: now is {text[:40]!r}, which is no time"
        raise UnexpectedResponse(msg) from error
    return TenantTime(now=now, tasks_run=document.whole_number("tasksRun") if "tasksRun" in document else 0)


def snapshot_request(xs2a: Xs2a, *, name: str) -> HttpResponse:
    """Keep everything of the tenant as it stands now, under a name."""
    return xs2a.post("/sandbox/v1/snapshots", {"name": name})


def process_snapshot_response(response: HttpResponse) -> None:
    """Judge that the snapshot was taken."""
    require_status(response, HTTPStatus.CREATED)


def restore_request(xs2a: Xs2a, *, name: str) -> HttpResponse:
    """Bring the tenant back to a snapshot, its clock too."""
    return xs2a.post(f"/sandbox/v1/snapshots/{name}/restore", {})


def process_restore_response(response: HttpResponse) -> None:
    """Judge that the tenant is what it was."""
    require_status(response, HTTPStatus.OK)


def fault_request(xs2a: Xs2a, fault: Fault) -> HttpResponse:
    """Provoke a fault."""
    return xs2a.post("/sandbox/v1/faults", fault.as_json())


def process_fault_response(response: HttpResponse) -> str:
    """Return the fault's id."""
    require_status(response, HTTPStatus.CREATED)
    return document_of(response).text("id")


def faults_clearing_request(xs2a: Xs2a) -> HttpResponse:
    """Clear all faults of the tenant."""
    return xs2a.delete("/sandbox/v1/faults")


def process_faults_clearing_response(response: HttpResponse) -> None:
    """Judge that none is left."""
    require_status(response, HTTPStatus.OK, HTTPStatus.NO_CONTENT)


def personality_request(xs2a: Xs2a, *, name: str) -> HttpResponse:
    """Let the tenant's bank answer like another one, such as `embedded`."""
    return xs2a.put("/sandbox/v1/personality", {"personality": name})


def process_personality_response(response: HttpResponse) -> str:
    """Return the personality that is in force."""
    require_status(response, HTTPStatus.OK)
    return document_of(response).text("personality")

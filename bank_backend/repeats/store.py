"""The table of what requests have made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, insert, select

from bank_backend.database import METADATA, one_at_a_time

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from bank_backend.repeats.model import MakingRequest

making_requests = Table(
    "making_requests",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("x_request_id", String(36), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("resource", String(36), nullable=False),
)
_FIRST: Final = select(making_requests.c.request_digest, making_requests.c.resource).where(
    making_requests.c.tenant == bindparam("tenant"),
    making_requests.c.kind == bindparam("kind"),
    making_requests.c.x_request_id == bindparam("x_request_id"),
)


class SqlRepeatStore:
    """What requests have made, inside the caller's transaction."""

    def first(self, connection: Connection, request: MakingRequest) -> str | None:
        """Return what this request has made already, or None; raises `FormatError` where it asked for something else.

        The same request twice at once: the second waits until the first's transaction has ended.
        """
        one_at_a_time(connection, "making", request.tenant, request.x_request_id)
        found = connection.execute(_FIRST, _key(request)).first()
        if found is None:
            return None
        request.require_same(found.request_digest)
        return str(found.resource)

    def note(self, connection: Connection, request: MakingRequest, resource: str) -> None:
        """Write what the request has made."""
        made = {"request_digest": request.digest, "resource": resource}
        connection.execute(insert(making_requests).values(_key(request) | made))


def _key(request: MakingRequest) -> dict[str, object]:
    return {"tenant": request.tenant, "kind": request.kind.value, "x_request_id": request.x_request_id}

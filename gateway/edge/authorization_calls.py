"""What the edge itself asks the authorization server, for nobody's request: a JSON body out, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.policies.model import Upstream, UpstreamDeadlines
from gateway.upstreams.faults import StaleConnection, UpstreamFault

if TYPE_CHECKING:
    from gateway.edge.upstream.connection import UpstreamConnection
    from gateway.edge.upstream.pool import Pool
    from gateway.edge.upstream.upstreams import Upstreams

_DEADLINES: Final = UpstreamDeadlines(head_seconds=3.0, stall_seconds=3.0)
_MOST_REPLY_BYTES: Final = 16 * 1024
_HEAD: Final = (
    b"POST %b HTTP/1.1\r\nhost: authorization.internal\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
)
_OK: Final = 200


async def answer_of(upstreams: Upstreams, path: bytes, body: bytes) -> bytes:
    """Return what the authorization server answers; raises `UpstreamFault`, also for any other answer than 200."""
    pool = upstreams.pool_of(Upstream.AUTHORIZATION)
    if pool is None:
        raise UpstreamFault("upstream.connect", "there is no authorization server")
    request = _HEAD % (path, len(body)) + body
    connection = pool.idle_connection()
    if connection is not None:
        try:
            return await _exchanged(pool, connection, request)
        except StaleConnection:
            pass  # nobody has seen the question
    return await _exchanged(pool, await pool.connection(), request)


async def _exchanged(pool: Pool, connection: UpstreamConnection, request: bytes) -> bytes:
    try:
        connection.begin(is_head_request=False, deadlines=_DEADLINES)
        connection.write(request, last=True)
        head = await connection.reply_head()
        body = await connection.piece()
        while not connection.has_all and len(body) <= _MOST_REPLY_BYTES:
            body += await connection.piece()
        if head.status != _OK or not connection.has_all:
            raise UpstreamFault("upstream.reply", f"the authorization server does not do it: {head.status}")
        return body
    finally:
        pool.release(connection)

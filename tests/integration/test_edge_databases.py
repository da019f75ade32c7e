"""The edge and its change feed on both engines."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change, changes_after
from tests.support.edge import HOST, running_edge
from tests.support.message_signatures import MessageSigner, signed_fields
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.databases import Databases


def test_changes_appear_in_the_order_of_their_numbers(databases: Databases) -> None:
    """A reader that has seen 2 will never be handed a 1 that was committed later: the second writer waits for the first."""
    seen: list[list[str]] = []
    with databases.opened("gateway") as engine:

        def append(key: str) -> None:
            with engine.begin() as connection:
                append_change(connection, ChangeKind.TOKEN, key, datetime.now(UTC))

        with engine.begin() as first:
            append_change(first, ChangeKind.TOKEN, "first", datetime.now(UTC))
            second = threading.Thread(target=append, args=("second",))
            second.start()
            time.sleep(0.3)
            seen.append([change.key for change in changes_after(engine, 0, limit=10)])
        second.join(timeout=60)
        seen.append([change.key for change in changes_after(engine, 0, limit=10)])
    assert seen == [[], ["first", "second"]]


def test_the_edge_serves_and_refuses(databases: Databases, tmp_path: Path) -> None:
    """Admitted, then revoked. A signed request passes once: its client's key is found, and its use is kept."""
    signer = MessageSigner()
    with running_edge(tmp_path, DATABASE_URL=databases.fresh("gateway")) as edge:
        edge.register.client(jwks=signer.jwks)
        token = edge.register.token(edge.qwac)
        assert edge.get("/v1/accounts", certificate=edge.qwac, token=token).status == 200
        fields, url = {"authorization": f"Bearer {token}"}, f"https://{HOST}/v1/accounts"
        fields |= signed_fields(signer, method="GET", url=url, fields=fields, created=int(time.time()))
        assert edge.get("/v1/accounts", certificate=edge.qwac, headers=fields).status == 200
        assert edge.get("/v1/accounts", certificate=edge.qwac, headers=fields).reason == "message_signature.replayed"
        edge.revoke(edge.qwac)

        def is_refused() -> bool:
            answer = edge.get("/v1/accounts", certificate=edge.qwac, token=token)
            return answer.status == HTTPStatus.UNAUTHORIZED and answer.reason == "mtls.revoked"

        wait_until(is_refused, seconds=IN_FORCE_SECONDS, what="the refusal")

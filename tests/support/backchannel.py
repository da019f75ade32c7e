"""A client that asks without a browser (CIBA): registered for it, beginning requests, polling for their tokens."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from gateway.register.model import ClientProfile, DeliveryMode, GrantType
from tests.support.authorization import CLIENT, CONSENT, AuthorizationWorld, client, qwac

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

CIBA = GrantType.CIBA
TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"
ENDPOINT = "https://tpp.example/ciba"


def register_for_ciba(world: AuthorizationWorld, **changes: Any) -> None:
    grants = (GrantType.REFRESH_TOKEN, CIBA)
    standing = {"profile": ClientProfile.FAPI2, "grant_types": grants, "redirect_uris": ()}
    world.register.save_client(client(**standing | {"backchannel_token_delivery_mode": DeliveryMode.POLL} | changes))


def begin(world: AuthorizationWorld, **changes: str | None) -> TestResponse:
    parameters: dict[str, str | None] = {"client_id": CLIENT, "scope": f"AIS:{CONSENT}", "login_hint": "anna.weber"}
    data = {name: value for name, value in (parameters | changes).items() if value is not None}
    return world.edge("/bc-authorize", qwac(), data=data)


def begun(world: AuthorizationWorld, **changes: str | None) -> str:
    answer = begin(world, **changes)
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["auth_req_id"])


def poll(world: AuthorizationWorld, auth_req_id: str | None, *, wait: int = 5, **changes: Any) -> TestResponse:
    world.clock.advance(dt.timedelta(seconds=wait))
    return world.token(**{"grant_type": CIBA.value, "auth_req_id": auth_req_id} | changes)


def refusal_of(answer: TestResponse, status: int = 400) -> tuple[str, str]:
    assert answer.status_code == status, answer.text
    return answer.get_json()["error"], answer.get_json()["reason"]

"""Pings: one is believed, and whatever is wrong in one way is not; the listener hears the bank's own caller over TLS."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.trust.fetching import Fetcher, FetchFailed, Order
from tests.support.pki import Authority
from tests.support.ports import free_port
from tpp_client.errors import IdentityUnusable, TppClientError
from tpp_client.identity import Credential
from tpp_client.ping_listener import PingListener
from tpp_client.pings import ExpectedPing, Ping, PingEndpoint, PingRefused, require_ping

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN, REQUEST = "t0ken-of-this-request", "id-of-this-request"
EXPECTED = ExpectedPing(path="/ping", token=TOKEN, auth_req_id=REQUEST)
BODY = json.dumps({"auth_req_id": REQUEST}).encode()
RIGHT = Ping(method="POST", path="/ping", authorization=f"Bearer {TOKEN}", body=BODY)
_SECONDS = 30.0


def test_the_banks_ping_is_believed() -> None:
    """CIBA Core §10.2; the scheme's name in any case (RFC 9110 §11.1)."""
    require_ping(RIGHT, EXPECTED)
    require_ping(replace(RIGHT, authorization=f"bearer {TOKEN}"), EXPECTED)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (replace(RIGHT, path="/other"), 404),
        (replace(RIGHT, method="GET"), 405),
        (replace(RIGHT, authorization=""), 401),
        (replace(RIGHT, authorization="Bearer another"), 401),
        (replace(RIGHT, authorization=f"Bearer {TOKEN}x"), 401),
        (replace(RIGHT, authorization=f"Basic {TOKEN}"), 401),
        (replace(RIGHT, authorization=TOKEN), 401),
        (replace(RIGHT, body=b'{"auth_req_id": "another"}'), 400),
        (replace(RIGHT, body=b'{"auth_req_id": "\\ud800"}'), 400),
        (replace(RIGHT, body=b'{"auth_req_id": 1}'), 400),
        (replace(RIGHT, body=b"[]"), 400),
        (replace(RIGHT, body=b"\xff"), 400),
        (replace(RIGHT, body=b""), 400),
    ],
)
def test_a_ping_that_is_wrong_in_one_way_is_not(wrong: Ping, status: int) -> None:
    """Anybody who finds the address could send it."""
    with pytest.raises(PingRefused) as caught:
        require_ping(wrong, EXPECTED)

    assert caught.value.status == status
    assert TOKEN not in str(caught.value)


# --- the listener -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def endpoint(authority: Authority, tmp_path: Path) -> PingEndpoint:
    certificate, key = authority.server("localhost").write(tmp_path, "listener")
    return PingEndpoint(
        url=f"https://localhost:{free_port()}/ping", credential=Credential(certificate=Path(certificate), key=Path(key))
    )


def ping(authority: Authority, endpoint: PingEndpoint, token: str, url: str | None = None) -> None:
    """Ping as the gateway does (`gateway/oauth/ciba/ping.py`): with its own caller."""
    caller = Fetcher(ssl.create_default_context(cadata=authority.pem))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    caller.fetch(
        Order(
            url=url or endpoint.url,
            deadline_seconds=_SECONDS,
            most_bytes=0,
            internal_hosts=frozenset({endpoint.authority}),
            body=BODY,
            headers=headers,
            taken=frozenset({204}),
        )
    )


@contextmanager
def waiting(listener: PingListener) -> Iterator[list[TppClientError]]:
    """Wait for a ping beside the test; lends what that ended in, once it has."""
    ended: list[TppClientError] = []

    def wait() -> None:
        try:
            listener.wait(REQUEST, seconds=_SECONDS)
        except TppClientError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    yield ended
    thread.join(_SECONDS)
    assert not thread.is_alive()


def test_the_listener_hears_the_bank_and_nobody_else(authority: Authority, endpoint: PingEndpoint) -> None:
    """A wrong token, a wrong path, somebody without TLS: answered or dropped; then the bank is heard."""
    port = int(endpoint.authority.rpartition(":")[2])
    with PingListener(endpoint, TOKEN) as listener, waiting(listener) as ended:
        with closing(socket.create_connection(("127.0.0.1", port))) as plain:
            plain.sendall(b"POST /ping HTTP/1.1\r\n\r\n")
        with pytest.raises(FetchFailed, match="answered 401"):
            ping(authority, endpoint, "another")
        with pytest.raises(FetchFailed, match="answered 404"):
            ping(authority, endpoint, TOKEN, url=f"https://{endpoint.authority}/")
        ping(authority, endpoint, TOKEN)

    assert ended == []


def test_who_is_not_told_in_time_is_told_why(authority: Authority, endpoint: PingEndpoint) -> None:
    """The operator has to allow such an address; and what came instead is named."""
    del authority
    with PingListener(endpoint, TOKEN) as listener, pytest.raises(TppClientError) as caught:
        listener.wait(REQUEST, seconds=0.01)

    assert f"GATEWAY_INTERNAL_CLIENT_HOSTS={endpoint.authority} sandbox up" in str(caught.value)


@pytest.mark.parametrize("url", ["https://tpp.example/ping", "http://localhost:8451/ping"])
def test_an_endpoint_elsewhere_is_not_listened_at(endpoint: PingEndpoint, url: str) -> None:
    """The bank pings whoever answers there."""
    with pytest.raises(IdentityUnusable, match="is not on this machine"):
        PingListener(replace(endpoint, url=url), TOKEN)


def test_a_listener_without_a_certificate_is_told_how_to_get_one(endpoint: PingEndpoint, tmp_path: Path) -> None:
    """Nothing is listened to before there is one."""
    nothing = Credential(certificate=tmp_path / "acme" / "listener.crt", key=tmp_path / "acme" / "listener.key")

    with pytest.raises(IdentityUnusable, match="sandbox cert listener acme"):
        PingListener(replace(endpoint, credential=nothing), TOKEN)


def test_an_address_that_is_taken_is_named(endpoint: PingEndpoint) -> None:
    """By another journey, for one."""
    with PingListener(endpoint, TOKEN), pytest.raises(TppClientError, match="can't listen at https://localhost"):
        PingListener(endpoint, TOKEN)

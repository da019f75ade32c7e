"""Calling a peer that isn't there: said as people say it, with the library's own words kept for logs."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from urllib3.exceptions import HTTPError

from chassis.addresses import Address
from chassis.home import Home
from chassis.peers import Peer, PeerSession, PeerUnavailable
from tests.support.internal_home import internal_home

if TYPE_CHECKING:
    from pathlib import Path

TIMES = (0.3, 0.3)


def test_a_peer_that_is_down(tmp_path: Path) -> None:
    """Nobody listens on the port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    assert_said(tmp_path, port, "the connection was refused or broke off")


def test_a_peer_that_stays_silent(tmp_path: Path) -> None:
    """Somebody listens, and never answers the handshake."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        assert_said(tmp_path, silent.getsockname()[1], "it did not answer in time")


def assert_said(tmp_path: Path, port: int, words: str) -> None:
    home, address = Home(tmp_path), Address("127.0.0.1", port)
    internal_home(home)
    session = PeerSession(Peer(name="bank", address=address, home=home, caller="gateway"))
    with pytest.raises(PeerUnavailable) as raised:
        session.get("/health", timeout=TIMES)
    assert str(raised.value) == f"the bank service can't be reached: {words} ({address})"
    assert isinstance(raised.value.__cause__, HTTPError)

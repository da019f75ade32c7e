"""A taken port is found, and named with its purpose."""

from __future__ import annotations

import socket

import pytest

from sandbox.platform.ports import PortTaken, is_free, require_free
from sandbox.platform.servers import Listener
from tests.support.ports import free_port


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::1")])
def test_a_port_is_taken_on_whichever_address(family: socket.AddressFamily, host: str) -> None:
    """Localhost may mean either loopback, and somebody may listen everywhere."""
    with socket.socket(family, socket.SOCK_STREAM) as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]

        assert not is_free(port)
    assert is_free(port)


def test_the_message_says_what_the_port_is_for() -> None:
    """And how to have it elsewhere."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=f"port {port} is taken.*it is for the moon.*--base-port"):
            require_free([Listener(free_port(), "the sun"), Listener(port, "the moon")])

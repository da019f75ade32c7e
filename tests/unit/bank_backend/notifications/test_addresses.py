"""Where notifications may go: hosts of the TPP's QWAC, by https, and never inside."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from bank_backend.notifications.addresses import (
    AddressPolicy,
    NotNotifiable,
    Target,
    read_target,
    require_domain,
    resolve,
)

PUBLIC = AddressPolicy(allows_loopback=False, own_ports=frozenset(range(8439, 8449)))
SANDBOX = AddressPolicy(allows_loopback=True, own_ports=frozenset(range(8439, 8449)))


def test_an_address_is_taken_apart() -> None:
    assert read_target("https://tpp.example/a/b?c=d") == Target("tpp.example", 443, "/a/b?c=d")
    assert read_target("https://TPP.example:9443") == Target("tpp.example", 9443, "/")


@pytest.mark.parametrize(
    "uri",
    [
        "http://tpp.example/",
        "ftp://tpp.example/",
        "https:///nowhere",
        "https://user@tpp.example/",
        "https://tpp.example/#part",
        "https://tpp.example/a b",
        "https://tpp.example/\r\nX-Injected: 1",
        "https://tpp.exämple/",
        "https://tpp.example:99999/",
    ],
)
def test_an_address_that_is_none_for_this_is_refused(uri: str) -> None:
    with pytest.raises(NotNotifiable):
        read_target(uri)


@pytest.mark.parametrize(
    ("host", "names", "allowed"),
    [
        # XS2A 1.3.11, TPP-Notification-URI: the examples of the specification.
        ("www.example-tpp.com", ["example-TPP.com"], True),
        ("notifications.example-tpp.com", ["example-TPP.com"], True),
        ("example-tpp.com", ["example-TPP.com"], True),
        ("a.example-tpp.com", ["*.example-tpp.com"], True),
        ("example-tpp.com", ["*.example-tpp.com"], False),
        ("other.com", ["api.tpp.com", "other.com"], True),
        ("evilexample-tpp.com", ["example-tpp.com"], False),
        ("example-tpp.com.evil.net", ["example-tpp.com"], False),
        ("localhost", ["example-tpp.com"], False),
        ("tpp.com", [], False),
    ],
)
def test_the_host_is_under_a_name_of_the_qwac(host: str, names: list[str], allowed: bool) -> None:  # noqa: FBT001 - parametrised
    target = Target(host, 443, "/")
    if allowed:
        require_domain(target, names)
        return
    with pytest.raises(NotNotifiable, match="is not under what the TPP's QWAC is for"):
        require_domain(target, names)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "255.255.255.255",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::7f00:1",
    ],
)
def test_nothing_inside_is_called(address: str) -> None:
    """Private networks, link-local ones, a cloud's metadata, this machine, and all of them in IPv6's clothes."""
    with pytest.raises(NotNotifiable, match="is not an address of the public internet"):
        PUBLIC.require_callable(ip_address(address), 443)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_the_public_internet_is_called(address: str) -> None:
    PUBLIC.require_callable(ip_address(address), 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_sandbox_calls_its_own_machine_but_not_its_own_servers(address: str) -> None:
    """Where platform and TPPs share a machine, the internal ports are on it too."""
    SANDBOX.require_callable(ip_address(address), 9443)
    with pytest.raises(NotNotifiable, match="port 8445 of this machine is the platform's own"):
        SANDBOX.require_callable(ip_address(address), 8445)


def test_names_that_nobody_can_own_are_this_machine() -> None:
    """The QWACs of the sandbox are for such (RFC 2606): where the machine may be called, they lead to it."""
    assert resolve(Target("demo.tpp.example", 9443, "/"), SANDBOX) == [ip_address("127.0.0.1")]
    with pytest.raises(NotNotifiable):
        resolve(Target("demo.tpp.example", 9443, "/"), PUBLIC)


def test_a_name_with_one_address_inside_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever answers for the name would choose between its addresses."""
    answers: Any = [(2, 1, 6, "", ("93.184.215.14", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)

    with pytest.raises(NotNotifiable, match=r"10\.0\.0\.1"):
        resolve(Target("tpp.com", 443, "/"), PUBLIC)

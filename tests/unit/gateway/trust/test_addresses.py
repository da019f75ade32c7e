"""Where lists and answers may be fetched from."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from gateway.trust.addresses import AddressRefused, is_inside, read_host, read_location, require_allowed

INSIDE = [
    "127.0.0.1",
    "10.0.0.8",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - refused
    "224.0.0.1",
    "::1",
    "fe80::1",
    "fd00::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]


def require(url: str, *found: str, named: frozenset[str] = frozenset()) -> None:
    require_allowed(read_location(url), [ip_address(each) for each in found], named)


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_called(address: str) -> None:
    """A CA that names such an address could look around in here (CWE-918); one among several is enough."""
    with pytest.raises(AddressRefused, match="not on the public internet"):
        require("http://crl.example/list", "93.184.215.14", address)


def test_a_host_that_the_operator_names_may_be_inside() -> None:
    """By host and port: nothing else of that host."""
    named = frozenset({read_host("CA.internal:8080")})

    require("http://ca.internal:8080/crl", "10.0.0.8", named=named)
    with pytest.raises(AddressRefused):
        require("http://ca.internal:8081/crl", "10.0.0.8", named=named)


def test_the_internet_may_be_called() -> None:
    require("http://crl.example/list", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize(
    "text",
    [
        "ldap://ca/cn",
        "file:///etc/passwd",
        "http://",
        "http://a b/",
        "http://u@h/",
        "http://h/#f",
        "http://h:x/",
        "http://h/\r\n",
    ],
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        read_location(text)


@pytest.mark.parametrize(
    "host",
    [*INSIDE, "localhost", "LocalHost.", "bank.localhost", "tpp", "tpp.internal", "printer.local", "127.1", "0x7f000001"],
)
def test_a_host_that_is_inside_by_its_name_alone(host: str) -> None:
    """Without looking it up."""
    assert is_inside(host)


@pytest.mark.parametrize("host", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "tpp.example", "local.example"])
def test_a_host_that_may_be_outside(host: str) -> None:
    assert not is_inside(host)

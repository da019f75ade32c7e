"""Ports and addresses."""

from __future__ import annotations

import pytest

from chassis.addresses import Address, InvalidAddress, PortTable, parse_address


def test_one_number_shifts_every_port_and_none_twice() -> None:
    """The block of a platform has no port twice."""
    ports = PortTable(base=9000)
    named = [ports.welcome, ports.portal, ports.front, ports.authorization, ports.edge, ports.admin, ports.bank, ports.demo]
    named += [ports.portal_internal, ports.demo_internal]
    assert named == list(ports.all) == list(range(8999, 9009))


@pytest.mark.parametrize("base", [0, 80, 65_530])
def test_a_base_port_out_of_range_is_refused(base: int) -> None:
    """Privileged ports and a block that would end past 65535."""
    with pytest.raises(InvalidAddress, match="1025"):
        PortTable(base=base)


def test_addresses_are_read() -> None:
    """IPv6 in brackets too."""
    assert parse_address("bank:8445") == Address("bank", 8445)
    assert parse_address("[::1]:8445") == Address("::1", 8445)


@pytest.mark.parametrize("text", ["bank", ":8445", "bank:", "bank:x", "bank:0", "bank:70000"])
def test_a_wrong_address_is_refused_with_the_right_form(text: str) -> None:
    """The message shows one that would do."""
    with pytest.raises(InvalidAddress, match="host:port"):
        parse_address(text)

"""IP rules: a look-up in a set of networks says what a search through them would say."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policies.networks import NetworkSet, client_address, read_network

# Few bits, so that addresses and networks meet.
ADDRESSES = st.sampled_from(
    [f"10.0.{a}.{b}" for a in (0, 1, 128) for b in (0, 1, 255)] + ["2001:db8::1", "2001:db8:1::", "::1"]
)
NETWORKS = st.builds(
    lambda address, bits: ip_network(f"{address}/{bits if ':' not in address else bits * 4}", strict=False),
    ADDRESSES,
    st.integers(0, 32),
)


@settings(max_examples=150, deadline=None)
@given(networks=st.lists(NETWORKS, max_size=6), address=ADDRESSES)
def test_a_look_up_says_what_a_search_would(networks: list[IPv4Network | IPv6Network], address: str) -> None:
    """Whatever the networks' versions and lengths."""
    wanted = ip_address(address)
    assert (wanted in NetworkSet(networks)) == any(wanted in each for each in networks if each.version == wanted.version)


@pytest.mark.parametrize("text", ["::ffff:192.0.2.1", "192.0.2.1"])
def test_an_ipv4_client_is_one_on_any_socket(text: str) -> None:
    """A socket for both versions maps its address into IPv6."""
    assert client_address(text) == IPv4Address("192.0.2.1")


@pytest.mark.parametrize("text", ["192.0.2.1/24", "192.0.2", "0x7f.1", "example.com", "", "::ffff:192.0.2.0/120", "1.2.3.4/33"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """Also where it could be guessed what was meant."""
    with pytest.raises(ValueError, match=r"."):
        read_network(text)

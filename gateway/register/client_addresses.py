"""Addresses that a client may have this server call: whoever registers one inside hears at once that nothing would (CWE-918).

Where a name leads is judged at each call (`gateway.trust.addresses`); here only what the address itself says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.register.model import Client, Fault
from gateway.trust.addresses import AddressRefused, is_inside, read_location

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED: Final = ("jwks_uri", "backchannel_client_notification_endpoint")


def faults_of_addresses(client: Client, standing: Client | None, *, internal_hosts: frozenset[str]) -> Iterator[Fault]:
    """Give the addresses that would never be called; one that stands already holds up no other change of its client."""
    for field in CALLED:
        address = getattr(client, field)
        if address is not None and (standing is None or address != getattr(standing, field)):
            yield from _faults_of_address(field, address, internal_hosts)


def _faults_of_address(field: str, address: str, internal_hosts: frozenset[str]) -> Iterator[Fault]:
    try:
        location = read_location(address)
    except AddressRefused:
        return  # what is wrong with it say the rules for its form
    if is_inside(location.host) and location.authority not in internal_hosts:
        yield Fault(
            field,
            f"{address} is inside and would never be called: take a public address, or have the operator name the host, "
            f"GATEWAY_INTERNAL_CLIENT_HOSTS={location.authority}",
        )

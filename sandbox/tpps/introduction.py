"""Telling the bank and the gateway of a TPP, step by step; every step may be repeated."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chassis.peers import PeerUnavailable
from sandbox.tpps.errors import RegistrationInterrupted
from sandbox.tpps.model import TppStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.bank_client import Bank
    from sandbox.gateway_client import Gateway
    from sandbox.tpps.model import Tpp

TENANT, TPP, CLIENT = STEPS = ("bank tenant", "TPP at the gateway", "OAuth client")


def introduce(tpp: Tpp, *, bank: Bank, gateway: Gateway) -> Sequence[Mapping[str, Any]]:
    """Tell both of the TPP; return who banks in its tenant. Raises `RegistrationInterrupted`."""
    done: list[str] = []
    with _step(TENANT, done):
        personas = bank.put_tenant(tpp)
    with _step(TPP, done):
        gateway.put_tpp(tpp, blocked=tpp.status is TppStatus.BLOCKED)
    with _step(CLIENT, done):
        gateway.put_client(tpp)
    return personas


@contextmanager
def _step(name: str, done: list[str]) -> Iterator[None]:
    try:
        yield
    except PeerUnavailable as error:
        raise RegistrationInterrupted(error.name, error.detail, tuple(done)) from error
    done.append(name)

"""`sandbox demo`: run again in a home whose platform answers on other ports now, it finds its TPP as it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from chassis.addresses import PortTable
from sandbox.cli.demo import _redirect_uris
from sandbox.tpps.client_data import PublicAddresses
from sandbox.tpps.errors import UnknownTpp

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.services import Services


def services(require: Callable[[str], Any]) -> Services:
    found: Any = SimpleNamespace(
        register=SimpleNamespace(require=require), addresses=PublicAddresses("localhost", PortTable(9440))
    )
    return found  # type: ignore[no-any-return]


def test_a_new_tpp_comes_back_to_the_demo_app_of_its_platform() -> None:
    def unknown(number: str) -> None:
        raise UnknownTpp(number)

    assert _redirect_uris(services(unknown)) == ["https://localhost:9446/callback"]


def test_one_that_is_registered_stays_as_it_is() -> None:
    standing = SimpleNamespace(redirect_uris=("https://localhost:8446/callback",))

    assert _redirect_uris(services(lambda _number: standing)) == ["https://localhost:8446/callback"]

"""Whom the gateway is told that the portal acts for: the person signed in, by the session, and nobody after that request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.acting import HEADER, actor_headers, note_person
from sandbox.gateway_client import GatewayOverTheWire
from tests.support.portal import PortalUnderTest
from tests.unit.sandbox.portal.test_tpp_pages import FORM

if TYPE_CHECKING:
    from pathlib import Path


class Answer:
    """The part of a `PeerAnswer` that is read."""

    status_code, content, text = 200, b"{}", "{}"


class Wire:
    """A `PeerSession` that notes who is said to act."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str | None]] = []

    def request(self, method: str, path: str, *, headers: dict[str, str], **_options: object) -> Answer:
        self.told.append((method, path.split("/")[1], headers.get(HEADER)))
        return Answer()


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    return PortalUnderTest(tmp_path)


@pytest.fixture
def wire(portal: PortalUnderTest, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Let the portal tell the gateway over a wire that notes."""
    wire: Any = Wire()
    gateway = GatewayOverTheWire(wire)
    monkeypatch.setattr(portal.world.gateway, "put_tpp", gateway.put_tpp)
    monkeypatch.setattr(portal.world.gateway, "put_client", gateway.put_client)
    noting: Wire = wire
    return noting


def test_the_gateway_is_told_who_of_its_users_the_portal_acts_for(portal: PortalUnderTest, wire: Wire) -> None:
    """Whatever the browser sends: it is the session that tells."""
    portal.sign_in_as("anna@acme.example")
    assert portal.post("/tpps/new", FORM, headers={HEADER: "mallory"}).status_code == 303
    assert set(wire.told) == {("PUT", "tpps", "anna@acme.example"), ("PUT", "clients", "anna@acme.example")}


def test_nobody_acts_once_the_request_has_ended(portal: PortalUnderTest, wire: Wire) -> None:
    """A thread serves one after the other: what a program registers next is not hers."""
    portal.sign_in_as("anna@acme.example")
    portal.get("/")
    assert actor_headers() == {}
    portal.registered()
    assert {person for _, _, person in wire.told} == {None}


@pytest.mark.parametrize(
    ("name", "written"),
    [("ben@acme.example", "ben@acme.example"), ("zo\u00eb\r\nX: y", "zo???X: y"), ("x" * 200, "x" * 140), ("", None)],
)
def test_a_name_is_written_so_that_a_header_can_hold_it(name: str, written: str | None) -> None:
    note_person(name)
    assert actor_headers().get(HEADER) == written
    note_person(None)

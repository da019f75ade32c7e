"""The straight way of a request: answered from the callbacks where all is at hand, handed over wherever it is not."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admission.refusal import Refusal
from gateway.edge.forwarding import Forwarding as Forwarded
from gateway.edge.held_bodies import HeldBodies
from gateway.edge.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Connection:
    """An upstream connection that waits for its reply."""

    def __init__(self) -> None:
        self.on_arrival: Callable[[], None] | None = None
        self.is_about_to_end = False

    def arrive(self) -> None:
        if self.on_arrival is not None:
            self.on_arrival()


class Pool:
    """Has one connection idle, or none."""

    def __init__(self, connection: Connection | None) -> None:
        self.connection = connection

    def idle_connection(self) -> Connection | None:
        return self.connection


class Forwarding:
    """Says what it is asked to do."""

    def __init__(self, connection: Connection | None) -> None:
        self.pool = Pool(connection)
        self.is_plain = True
        self.is_whole = True
        self.failure: Exception | None = None
        self.done: list[str] = []

    def plain_request(self, body: bytes) -> bytes:
        return b"request" + body

    def ask(self, _connection: Connection, request: bytes) -> None:
        self.done.append(f"asked {request.decode()}")

    def can_answer_at_once(self, _connection: Connection) -> bool:
        return self.is_whole

    def answer_at_once(self, _connection: Connection) -> None:
        if self.failure is not None:
            raise self.failure
        self.done.append("answered")

    async def until_taken(self) -> None:
        self.done.append("waited until it was taken")

    async def go_on(self, _connection: Connection, request: bytes) -> None:
        self.done.append(f"went on with {request.decode()}")


class Client:
    """Notes what the exchange comes to."""

    def __init__(self) -> None:
        self.ends = 0
        self.left: list[Coroutine[object, object, None]] = []
        self.body = b""
        self.is_full = False

    def arrived(self) -> bytes:
        return self.body

    def finished(self) -> None:
        self.ends += 1

    def go_on(self, work: Coroutine[object, object, None]) -> None:
        self.left.append(work)

    def run(self) -> None:
        for work in self.left:
            asyncio.run(work)  # type: ignore[arg-type]


def begun(forwarding: Forwarding) -> tuple[Client, Any]:
    client = Client()
    passage: Any = Passage(forwarding, client, lambda work: work)  # type: ignore[arg-type]
    assert passage.begin()
    return client, passage


def test_a_reply_that_is_here_whole_is_answered_at_once() -> None:
    """Without a task; and the connection tells no more."""
    connection = Connection()
    forwarding = Forwarding(connection)
    client, _ = begun(forwarding)
    connection.arrive()
    connection.arrive()
    assert forwarding.done == ["asked request", "answered"]
    assert (client.ends, client.left, connection.on_arrival) == (1, [], None)


def test_an_answer_that_the_client_does_not_take_is_waited_for_as_on_the_other_way() -> None:
    """There it counts to what its holder's clients have not taken: else it would be held without a bound."""
    connection = Connection()
    forwarding = Forwarding(connection)
    client, _ = begun(forwarding)
    client.is_full = True
    connection.arrive()
    client.run()
    assert forwarding.done == ["asked request", "answered", "waited until it was taken"]
    assert client.ends == 0


def test_an_answer_that_is_not_taken_counts_until_it_is() -> None:
    """To the TPP, or the address, whose client it is."""
    bodies = HeldBodies(most_bytes=4_000, free_bytes=0, reason="http.too_slow")

    async def drain() -> None:
        with pytest.raises(Refusal):
            bodies.take("192.0.2.1", 100)

    request = SimpleNamespace(connection=SimpleNamespace(address="192.0.2.1"))
    exchange = SimpleNamespace(admission=SimpleNamespace(tpp=None), request=request, sent_bytes=950)
    parts: Any = dict.fromkeys(field.name for field in fields(Forwarded))
    parts |= {"exchange": exchange, "untaken": bodies, "client": SimpleNamespace(drain=drain)}
    asyncio.run(Forwarded(**parts).until_taken())
    bodies.take("192.0.2.1", 1_000)


def test_a_body_that_is_here_goes_with_the_request() -> None:
    """Also where the rest is left to others, who may have to send it again."""
    connection = Connection()
    forwarding, client = Forwarding(connection), Client()
    client.body = b" with a body"
    forwarding.is_whole = False
    passage: Any = Passage(forwarding, client, lambda work: work)  # type: ignore[arg-type]
    assert passage.begin()
    connection.arrive()
    client.run()
    assert forwarding.done == ["asked request with a body", "went on with request with a body"]


@pytest.mark.parametrize(
    ("head", "is_plain"),
    [({"content_length": 10}, True), ({"content_length": 11}, False), ({"is_chunked": True}, False)],
    ids=["as long as it may be", "too long", "of unknown length"],
)
def test_a_body_of_unwanted_or_unknown_length_goes_the_other_way(head: dict[str, Any], *, is_plain: bool) -> None:
    """There it is measured, and refused."""
    admission = SimpleNamespace(route=SimpleNamespace(max_body_bytes=None, signature=None, message_signatures=None))
    plain = {"is_chunked": False, "content_length": 0, "signed": None}
    parts: Any = dict.fromkeys(field.name for field in fields(Forwarded))
    parts |= {"exchange": SimpleNamespace(admission=admission), "head": SimpleNamespace(**plain | head), "max_body_bytes": 10}
    assert Forwarded(**parts).is_plain is is_plain


def test_a_short_reply_in_pieces_is_waited_for() -> None:
    """As most servers write one: its head, then its body."""
    connection = Connection()
    forwarding = Forwarding(connection)
    forwarding.is_whole, connection.is_about_to_end = False, True
    client, _ = begun(forwarding)
    connection.arrive()
    assert forwarding.done == ["asked request"]
    forwarding.is_whole, connection.is_about_to_end = True, False
    connection.arrive()
    assert forwarding.done == ["asked request", "answered"]
    assert (client.ends, client.left) == (1, [])


def test_a_short_reply_that_ends_too_soon_is_handed_over() -> None:
    """A fault while it was waited for."""
    connection = Connection()
    forwarding = Forwarding(connection)
    forwarding.is_whole, connection.is_about_to_end = False, True
    client, _ = begun(forwarding)
    connection.arrive()
    connection.is_about_to_end = False
    connection.arrive()
    client.run()
    assert forwarding.done == ["asked request", "went on with request"]


def test_a_long_reply_or_a_fault_is_handed_over_once() -> None:
    """From where it has come to: the server has been asked."""
    connection = Connection()
    forwarding = Forwarding(connection)
    forwarding.is_whole = False
    client, _ = begun(forwarding)
    connection.arrive()
    connection.arrive()
    client.run()
    assert forwarding.done == ["asked request", "went on with request"]
    assert client.ends == 0


def test_a_client_that_leaves_hands_it_over() -> None:
    """So that its exchange ends, and is recorded, like any other; a reply that comes after is not answered here."""
    connection = Connection()
    forwarding = Forwarding(connection)
    client, passage = begun(forwarding)
    passage.hand_over()
    passage.hand_over()
    connection.arrive()
    client.run()
    assert forwarding.done == ["asked request", "went on with request"]


def test_an_answer_that_fails_ends_the_exchange_as_on_the_other_way() -> None:
    """As when its record could not be written: it is raised in what the face has to run, not into the server's connection."""
    connection = Connection()
    forwarding = Forwarding(connection)
    forwarding.failure = OSError("no space left on device")
    client, _ = begun(forwarding)
    connection.arrive()
    assert client.ends == 0
    with pytest.raises(OSError, match="no space left"):
        client.run()


@pytest.mark.parametrize("lacks", ["plainness", "a connection"])
def test_what_has_to_wait_is_not_begun(lacks: str) -> None:
    """A body, a signature, a full pool."""
    forwarding = Forwarding(None if lacks == "a connection" else Connection())
    forwarding.is_plain = lacks != "plainness"
    assert not Passage(forwarding, Client(), lambda work: work).begin()  # type: ignore[arg-type]
    assert forwarding.done == []

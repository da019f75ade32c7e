"""What a request counts to, by which key, and what it gets back when it has ended."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from chassis.told.refusals import ToldRefusal
from gateway.admission.admit import Admission
from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Leaf, Request
from gateway.admission.tokens import AccessToken
from gateway.audit.exchange import Exchange
from gateway.edge.client_head import ClientHead
from gateway.edge.counting import Counting, Standing
from gateway.limits.limiter import Limiter
from gateway.plans.table import Plans, PlanTable
from gateway.policies.model import Listener
from gateway.trust.verdict import Trusted
from psd2.certificates import parse_certificate
from tests.support.deployments import only_route
from tests.support.pki import Authority
from tests.unit.gateway.limits.test_brute_force import World

if TYPE_CHECKING:
    from gateway.policies.model import Route

QWAC = Authority().qwac()
TRUSTED = Trusted(certificate=parse_certificate(QWAC.der), status=None, holds_from=0, holds_until=math.inf)
LIMITS = [{"key": "total", "rate": {"per_second": 0.001, "burst": 4}, "quotas": [{"amount": 2, "per": "day"}]}]


class Edge:
    """Counts as the core does, on a store in memory."""

    def __init__(self, **route: Any) -> None:
        self.world = World()
        self.route = only_route(**{"limits": LIMITS} | route)
        limiter = Limiter(self.world.accounts, clock=self.world.clock, most=100, refuses_blind=True)
        self.guard = self.world.guard()
        self.plans = Plans()
        self.counting = Counting(self.plans, limiter, self.guard, self.world.clock)

    def exchange(self, address: str = "192.0.2.1", *, presents: bool = False, route: Route | None = None) -> Exchange:
        leaf = Leaf(QWAC.der) if presents else None
        trusted = (
            Trusted(certificate=parse_certificate(QWAC.der), status=None, holds_from=0, holds_until=math.inf)
            if presents
            else None
        )
        connection = Connection(listener=Listener.EDGE, address=address, tls=None, leaf=leaf)
        return exchange_of(connection, Admission(route=route or self.route, trusted=trusted), self.world.clock.now)

    async def ask(self, exchange: Exchange | None = None, *, status: int = 200, **ended: Any) -> str:
        """Let a request through to its end; returns `passed`, or the reason of its refusal."""
        exchange = exchange or self.exchange()
        try:
            await self.counting.spend(exchange, HEAD)
        except Refusal as refusal:
            return refusal.reason
        exchange.status = status
        exchange.replied_at = 1.0
        for name, value in ended.items():
            setattr(exchange, name, value)
        self.counting.settle(exchange)
        return "passed"

    async def answers(self, count: int, **ended: Any) -> list[str]:
        return [await self.ask(**ended) for _ in range(count)]


HEAD = ClientHead(
    lines=[],
    host=b"localhost",
    authorization=None,
    content_type=None,
    request_id=None,
    content_length=0,
    is_chunked=False,
    awaits_continue=False,
)


def token() -> AccessToken:
    return AccessToken(
        sha256="0" * 64,
        client_id="client-1",
        authorisation_number="PSDDE-BAFIN-100001",
        scope="",
        subject=None,
        thumbprint=QWAC.thumbprint,
        expires_at=0,
        revoked_at=None,
    )


def exchange_of(connection: Connection, admission: Admission, now: float) -> Exchange:
    request = Request(
        connection=connection,
        id="1",
        method="GET",
        path="/things",
        query=b"",
        host="localhost",
        authorization=None,
        tpp_request_id=None,
    )
    return Exchange(request=request, admission=admission, began_at=0, arrived_at=now)


def test_a_4xx_counts_to_rate_and_quota() -> None:
    """The third finds the quota empty."""
    answers = asyncio.run(Edge().answers(3, status=404))
    assert answers == ["passed", "passed", "limit.quota"]


def test_a_5xx_counts_to_the_rate_only() -> None:
    """Its quota is given back, the rate's units are gone."""
    answers = asyncio.run(Edge().answers(6, status=502))
    assert answers == ["passed"] * 4 + ["limit.rate"] * 2


def test_a_5xx_is_no_way_around_a_rate_that_is_leased() -> None:
    """Of a lease that still stands a unit could be put back, and who makes the server fail would be limited by nothing."""
    leased = {"limits": [{"key": "total", "rate": {"per_second": 10, "burst": 20}}]}
    assert asyncio.run(Edge(**leased).answers(30, status=502))[-1] == "limit.rate"


def test_a_request_whose_signature_fails_counts_to_neither() -> None:
    """It was refused here, after this step: nobody has authenticated it."""
    unsigned = {"limits": [{"key": "total", "quotas": [{"amount": 2, "per": "day"}]}]}
    answers = asyncio.run(Edge(**unsigned).answers(6, status=401, replied_at=None))
    assert answers == ["passed"] * 6
    assert asyncio.run(Edge(**unsigned).answers(3, status=401)) == ["passed", "passed", "limit.quota"]


@pytest.mark.parametrize(
    ("key", "apart"), [("total", False), ("address", True), ("certificate", True), ("client", True), ("subscriber", True)]
)
def test_what_is_counted_by_itself(key: str, *, apart: bool) -> None:
    """Without what the key asks for, a request is counted by its address: anonymity is no way around a limit."""

    async def test() -> None:
        edge = Edge(limits=[{"key": key, "quotas": [{"amount": 1, "per": "day"}]}])
        assert await edge.ask() == "passed"
        assert await edge.ask() == "limit.quota"
        assert await edge.ask(edge.exchange("192.0.2.2")) == ("passed" if apart else "limit.quota")

    asyncio.run(test())


def test_a_certificate_is_counted_from_wherever_it_comes() -> None:
    """Addresses are cheap."""

    async def test() -> None:
        edge = Edge(limits=[{"key": "certificate", "quotas": [{"amount": 1, "per": "day"}]}])
        assert await edge.ask(edge.exchange("192.0.2.1", presents=True)) == "passed"
        assert await edge.ask(edge.exchange("192.0.2.2", presents=True)) == "limit.quota"

    asyncio.run(test())


def test_limits_of_a_deployment_are_shared_by_its_routes_and_those_of_a_route_are_its_own() -> None:
    """By the name of their counters."""
    quota = [{"key": "total", "quotas": [{"amount": 1, "per": "day"}]}]
    (shared,), (own,) = only_route(limits=quota).limits, only_route({"limits": quota}).limits
    assert (shared.counter, own.counter) == (
        "deployment one|total-quota-day",
        "route one: GET /things|total-quota-day",
    )


def test_one_connection_is_counted_anew_where_something_else_was_established() -> None:
    """What is remembered of it serves the same route and the same certificate, for a second."""

    async def test() -> None:
        edge = Edge(limits=[{"key": "total", "quotas": [{"amount": 1, "per": "day"}]}])
        first = edge.exchange()
        assert await edge.ask(first) == "passed"
        free = only_route(limits=[])
        again = exchange_of(first.request.connection, Admission(route=free), edge.world.clock.now)
        assert await edge.ask(again) == "passed"

    asyncio.run(test())


@pytest.mark.parametrize("other", ["route", "certificate", "token", "plans", "second"])
def test_on_the_straight_way_a_connection_is_counted_anew_where_something_else_is_there(other: str) -> None:
    """What stands of it is of one route, one certificate, one token, one state of the plans, and one second."""

    async def test() -> None:
        edge = Edge(limits=[{"key": "total", "quotas": [{"amount": 1_000, "per": "day"}]}])
        first = edge.exchange()
        await edge.answers(20, exchange=first)
        assert edge.counting.spend_at_once(first, HEAD)
        memory = first.request.connection.memory
        standing = memory[Standing]
        assert edge.counting.spend_at_once(first, HEAD)
        assert memory[Standing] is standing
        changed = Admission(route=first.admission.route, trusted=first.admission.trusted, token=first.admission.token)
        if other == "route":
            changed.route = only_route(limits=[])
        elif other == "certificate":
            changed.trusted = TRUSTED
        elif other == "token":
            changed.token = token()
        elif other == "plans":
            edge.plans.table = PlanTable({}, ())
        arrived_at = edge.world.clock.now + (1.0 if other == "second" else 0.0)
        again = exchange_of(first.request.connection, changed, arrived_at)
        assert edge.counting.spend_at_once(again, HEAD)
        assert memory[Standing] is not standing
        assert (again.receipt is None) == (other == "route")

    asyncio.run(test())


def test_a_failure_that_the_authorization_server_tells_of_is_counted() -> None:
    """Wrong credentials at the token endpoint are guesses like any other."""

    async def test() -> None:
        edge = Edge(limits=[], upstream="authorization")
        told = ToldRefusal(reason="oauth.client", text="", hint="", clause="")
        for _ in range(6):
            await edge.ask(status=401, told=told)
        async with asyncio.timeout(30):
            await asyncio.gather(*edge.guard._under_way)
        with pytest.raises(Refusal):
            edge.counting.require_unblocked(edge.exchange().request.connection)

    asyncio.run(test())


def test_browsers_are_not_blocked_for_what_tpps_of_their_address_did() -> None:
    """Where nobody authenticates to the gateway, nothing is counted and nobody refused."""
    edge = Edge()
    edge.guard.block("192.0.2.1", edge.world.clock.now + 9)
    connection = edge.exchange().request.connection
    with pytest.raises(Refusal):
        edge.counting.require_unblocked(connection)
    connection.listener = Listener.FRONT
    edge.counting.require_unblocked(connection)

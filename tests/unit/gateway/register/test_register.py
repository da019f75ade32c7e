"""The register: what may stand in it, and that every change is told to the edge in the same transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from gateway.register.model import ClientOfAnotherTpp, ClientProfile, RegisterRefusal, TppStatus, UnknownTpp
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from gateway.tables.configuration import changes
from gateway.tables.register import clients, tpps
from psd2.clock import FixedClock
from psd2.roles import PspRole
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, START, client, tpp

if TYPE_CHECKING:
    from sqlalchemy import Engine


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def register(engine: Engine, clock: FixedClock) -> Register:
    return Register(store=SqlRegisterStore(engine), clock=clock)


def told(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(row.kind, row.key) for row in connection.execute(select(changes).order_by(changes.c.id))]


def test_a_tpp_is_kept_and_told(register: Register, engine: Engine) -> None:
    """New once, then changed."""
    assert register.save_tpp(tpp()) is True
    assert register.save_tpp(tpp(name="Acme Pay SE")) is False

    assert register.tpp(NUMBER) == tpp(name="Acme Pay SE")
    assert told(engine) == [("tpp", NUMBER), ("tpp", NUMBER)]


def test_a_change_keeps_when_a_tpp_was_first_registered(register: Register, engine: Engine, clock: FixedClock) -> None:
    """`created_at` stays, `updated_at` moves."""
    register.save_tpp(tpp())
    clock.advance(dt.timedelta(hours=1))
    register.save_tpp(tpp(status=TppStatus.BLOCKED))

    with engine.connect() as connection:
        row = connection.execute(select(tpps)).one()
    assert (row.created_at, row.updated_at, row.status) == (START.timestamp(), START.timestamp() + 3600, "blocked")
    assert row.roles == "PSP_AI PSP_IC PSP_PI"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"authorisation_number": "DE-BAFIN-1"}, "authorisation_number", id="malformed number"),
        pytest.param({"nca_id": "FR-ACPR"}, "nca_id", id="another authority"),
        pytest.param({"country": "FR"}, "country", id="another country"),
        pytest.param({"roles": frozenset()}, "roles", id="no role"),
    ],
)
def test_an_inconsistent_tpp_is_refused(register: Register, engine: Engine, change: dict[str, object], field: str) -> None:
    """The field is named, and nothing is kept or told."""
    with pytest.raises(RegisterRefusal) as caught:
        register.save_tpp(tpp(**change))

    assert caught.value.field == field
    assert list(register.tpps()) == []
    assert told(engine) == []


def test_tpps_are_listed_in_order(register: Register) -> None:
    """By authorisation number."""
    french = tpp(authorisation_number=OTHER_NUMBER, country="FR", nca_id="FR-ACPR")
    register.save_tpp(french)
    register.save_tpp(tpp())

    assert list(register.tpps()) == [tpp(), french]


def test_a_client_is_kept_and_told(register: Register, engine: Engine) -> None:
    """New once, then changed."""
    register.save_tpp(tpp())

    assert register.save_client(client()) is True
    assert register.save_client(client(name="App")) is False
    assert register.client(CLIENT) == client(name="App")
    assert told(engine)[1:] == [("client", CLIENT), ("client", CLIENT)]


def test_a_client_needs_its_tpp(register: Register) -> None:
    """Otherwise nobody could ever authenticate it."""
    with pytest.raises(UnknownTpp, match="register it first"):
        register.save_client(client())


def test_a_client_cannot_change_hands(register: Register) -> None:
    """Its tokens would belong to another firm."""
    register.save_tpp(tpp())
    register.save_tpp(tpp(authorisation_number=OTHER_NUMBER, country="FR", nca_id="FR-ACPR"))
    register.save_client(client())

    with pytest.raises(ClientOfAnotherTpp):
        register.save_client(client(authorisation_number=OTHER_NUMBER))
    assert register.client(CLIENT) == client()


@pytest.mark.parametrize(
    "uri",
    [
        "https://tpp.example/callback",
        "https://tpp.example/callback?bank=7",
        "https://tpp.example:8443/cb",
        "http://localhost:9000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/cb",
    ],
)
def test_a_safe_redirect_uri_is_taken(register: Register, uri: str) -> None:
    """Https anywhere, plain http on the developer's own machine."""
    register.save_tpp(tpp())

    assert register.save_client(client(redirect_uris=(uri,)))


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        pytest.param("http://tpp.example/cb", "must use https", id="plain http"),
        pytest.param("http://localhost.evil.example/cb", "must use https", id="not localhost"),
        pytest.param("javascript:alert(1)", "not absolute", id="script"),
        pytest.param("com.example.app://cb", "must use https", id="private scheme"),
        pytest.param("/callback", "not absolute", id="relative"),
        pytest.param("https:///cb", "not absolute", id="no host"),
        pytest.param("https://tpp.example/cb#part", "no fragment", id="fragment"),
        pytest.param("https://tpp.example/cb#", "no fragment", id="empty fragment"),
        pytest.param("https://user@tpp.example/cb", "no user name", id="user"),
        pytest.param("https://*.tpp.example/cb", "without wildcards", id="wildcard"),
        pytest.param("https://tpp.example/c b", "no URI may hold", id="space"),
        pytest.param("https://tpp.example\\@evil.example/", "no URI may hold", id="backslash"),
        pytest.param("https://tpp.example/\r\nSet-Cookie: a=b", "no URI may hold", id="line end"),
        pytest.param("https://täpp.example/", "no URI may hold", id="no ASCII"),
        pytest.param("https://tpp.example:99999/", "can't be read", id="port"),
        pytest.param("https://[::1/cb", "can't be read", id="bracket"),
        pytest.param("https://tpp.example/" + "x" * 1981, "has 2001 characters", id="long"),
    ],
)
def test_an_unsafe_redirect_uri_is_refused(register: Register, uri: str, said: str) -> None:
    """The entry is named."""
    register.save_tpp(tpp())

    with pytest.raises(RegisterRefusal, match=said) as caught:
        register.save_client(client(redirect_uris=("https://tpp.example/ok", uri)))
    assert caught.value.field == "redirect_uris[1]"


@pytest.mark.parametrize("uris", [(), ("https://a.example/",) * 2, tuple(f"https://a.example/{i}" for i in range(21))])
def test_redirect_uris_are_few_and_different(register: Register, uris: tuple[str, ...]) -> None:
    """None, twice the same, and too many are refused."""
    register.save_tpp(tpp())

    with pytest.raises(RegisterRefusal) as caught:
        register.save_client(client(redirect_uris=uris))
    assert caught.value.field == "redirect_uris"


def test_a_deleted_client_is_gone_and_told(register: Register, engine: Engine) -> None:
    """With a word to forget all tokens, should the client come back."""
    register.save_tpp(tpp())
    register.save_client(client())

    assert register.delete_client(CLIENT) is True
    assert register.delete_client(CLIENT) is False
    assert register.client(CLIENT) is None
    assert told(engine)[2:] == [("client", CLIENT), ("token", "*")]
    with engine.connect() as connection:
        assert not connection.execute(select(clients)).all()


def test_an_authorisation_number_means_the_tpps_only_berlin_client(register: Register) -> None:
    """BG IG 1.3.8 §13.1; a FAPI client is never meant, nor is one of two."""
    register.save_tpp(tpp())
    register.save_client(client(client_id="fapi", profile=ClientProfile.FAPI2))
    assert register.registered(NUMBER) is None
    register.save_client(client())
    assert register.registered(NUMBER) == (client(), tpp())
    register.save_client(client(client_id="second"))
    assert register.registered(NUMBER) is None


def test_a_client_id_that_is_an_authorisation_number_means_itself(register: Register) -> None:
    """What is registered wins."""
    register.save_tpp(tpp())
    register.save_client(client())
    itself = replace(client(), client_id=NUMBER)
    register.save_client(itself)

    assert register.registered(NUMBER) == (itself, tpp())


def test_roles_come_back_as_they_were(register: Register) -> None:
    """A single one, too."""
    register.save_tpp(tpp(roles=frozenset({PspRole.IC})))

    standing = register.tpp(NUMBER)
    assert standing is not None
    assert standing.roles == {PspRole.IC}

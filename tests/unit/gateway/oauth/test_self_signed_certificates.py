"""Clients that authenticate by a self-signed certificate of their own, which the edge has let in (RFC 8705 §2.2)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.bootstrap import published_certificates
from gateway.oauth.clients import published_certificates as following
from gateway.oauth.clients.published_certificates import EARLY_LOOK_PAUSE
from gateway.oauth.jose.key_fetching import KeyFetcher, KeysNotFetched
from gateway.oauth.jose.published_keys import FETCHED_AT_MOST_EVERY, FRESH, LONGEST
from gateway.register.model import AuthMethod, Client
from gateway.register.store import SqlRegisterStore
from tests.support.authorization import CLIENT, NUMBER, OTHER_CLIENT, OTHER_NUMBER, REDIRECT_URI, VERIFIER, client, qwac
from tests.support.pki import Issued, key_of, self_issued

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

    from gateway.oauth.clients.published_certificates import PublishedCertificates
    from tests.support.authorization import AuthorizationWorld

OWN, OTHER = self_issued(number=OTHER_NUMBER), self_issued()
URL = "https://tpp.example/jwks"
ENDPOINTS = ("/token", "/par", "/introspect", "/revoke", "/bc-authorize")


def owner(*certificates: Issued, **members: Any) -> Client:
    keys: dict[str, Any] = {"jwks": {"keys": [key_of(each) for each in certificates or (OWN,)]}} | members
    return client(token_endpoint_auth_method=AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH, **keys)


def call(
    world: AuthorizationWorld, path: str = "/token", certificate: Issued = OWN, *, tpp: str = NUMBER, **more: Any
) -> TestResponse:
    """Call as the edge passes on what it has let in by its registration."""
    headers = {"X-Sandbox-Certificate": "registered", "X-Sandbox-Tpp": tpp}
    data = {"client_id": CLIENT, "grant_type": "client_credentials", "token": "x"} | more
    return world.edge(path, certificate, headers=headers, data=data)


@pytest.fixture
def owning(world: AuthorizationWorld) -> AuthorizationWorld:
    world.register.save_client(owner())
    return world


def test_it_authenticates_its_client_and_binds_its_tokens(owning: AuthorizationWorld) -> None:
    """At every endpoint, whatever it says of its holder; the token is bound to it, not to the TPP's QWAC."""
    answer = call(owning)
    assert answer.status_code == 200, answer.text
    token = answer.get_json()["access_token"]
    told = call(owning, "/introspect", token=token).get_json()
    assert told["cnf"] == {"x5t#S256": OWN.thumbprint}
    for path in ENDPOINTS:
        assert call(owning, path).status_code != 401, path


def test_a_flow_goes_its_way(owning: AuthorizationWorld) -> None:
    """Code and refresh token are redeemed over it."""
    sent: dict[str, Any] = {"code": owning.code(), "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    redeemed = call(owning, grant_type="authorization_code", **sent)
    assert redeemed.status_code == 200, redeemed.text
    renewed = call(owning, grant_type="refresh_token", refresh_token=redeemed.get_json()["refresh_token"])
    assert renewed.status_code == 200, renewed.text


@pytest.mark.parametrize("path", ENDPOINTS)
def test_it_is_no_qwac(owning: AuthorizationWorld, path: str) -> None:
    """For a client of the same TPP that authenticates otherwise; nor is one that the client has registered no more."""
    owning.register.save_client(client(client_id="other"))
    assert call(owning, path, client_id="other").get_json()["reason"] == "client.qwac_needed"
    assert call(owning, path, OTHER).get_json()["reason"] == "client.certificate_unregistered"


def test_it_stands_for_the_tpp_that_has_registered_it(owning: AuthorizationWorld) -> None:
    """Not for the one that it names."""
    for number, name in ((OTHER_NUMBER, CLIENT), (NUMBER, OTHER_CLIENT)):
        assert call(owning, tpp=number, client_id=name).get_json()["reason"] == "client.certificate_mismatch"


@pytest.mark.parametrize("vouched", ["", "registered", "own"])
def test_what_the_edge_does_not_call_a_qwac_is_none(world: AuthorizationWorld, vouched: str) -> None:
    """Whatever stands in it: nobody registers clients, or speaks for PSUs, by the word of such a certificate."""
    headers = {"X-Sandbox-Tpp": NUMBER, "X-Sandbox-Certificate": vouched}
    for path in ("/register", "/sandbox/v1/psu-interactions"):
        assert world.edge(path, qwac(), headers=headers, json={}).get_json()["reason"] == "mtls.not_a_qwac"
    if vouched != "registered":
        answer = world.edge("/token", qwac(), headers=headers, data={"client_id": CLIENT})
        assert answer.get_json()["reason"] == "mtls.not_a_qwac"


# --- published at a jwks_uri ---


class Address:
    """The client's server."""

    def __init__(self) -> None:
        self.certificates: tuple[Issued, ...] | None = ()
        self.asked: list[str] = []

    def fetch(self, url: str, *, party: str) -> str:
        assert (url[: len(URL)], party) == (URL, NUMBER)
        self.asked.append(url)
        if self.certificates is None:
            raise KeysNotFetched("jwks_uri gave nothing", detail="refused")
        return json.dumps({"keys": [key_of(each) for each in self.certificates]})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Address:
    """Stand in for every address that clients name."""
    server = Address()
    monkeypatch.setattr(KeyFetcher, "fetch", lambda _self, url, *, party: server.fetch(url, party=party))
    return server


def follower(world: AuthorizationWorld) -> PublishedCertificates:
    return published_certificates(world.settings, engine=world.engine, clock=world.clock)


def test_published_certificates_are_followed(world: AuthorizationWorld, engine: Engine, address: Address) -> None:
    """What is taken back ends at the next look, what can't be looked at any more within the hour; another TPP's is not had."""
    store, published = SqlRegisterStore(engine), follower(world)
    world.register.save_client(owner(jwks=None, jwks_uri=URL))

    def known() -> list[bool]:
        published.follow()
        return [bool(store.certificate_holders(each.sha256)) for each in (OWN, OTHER)]

    address.certificates = (OWN,)
    assert known() == [True, False]
    address.certificates = (OTHER,)
    world.clock.advance(FRESH)
    assert known() == [False, True]
    address.certificates = None
    world.clock.advance(FRESH)
    assert known() == [False, True]
    world.clock.advance(LONGEST)
    assert known() == [False, False]

    theirs = owner(client_id=OTHER_CLIENT, authorisation_number=OTHER_NUMBER)
    world.register.save_client(theirs)
    address.certificates = (OWN, OTHER)
    world.clock.advance(FRESH)
    assert known() == [True, True]
    assert store.certificate_holders(OWN.sha256) == (OTHER_CLIENT,)


def test_one_that_was_published_a_moment_ago_is_looked_for_early(world: AuthorizationWorld, address: Address) -> None:
    """Once the edge has said that an unknown one came; an address is asked as seldom as for an unknown kid."""
    store, published = SqlRegisterStore(world.engine), follower(world)
    world.register.save_client(owner(jwks=None, jwks_uri=URL))
    address.certificates = (OWN,)
    published.follow()
    address.certificates = (OWN, OTHER)

    world.clock.advance(FETCHED_AT_MOST_EVERY - timedelta(seconds=1))
    published.follow(is_early=True)
    assert (store.certificate_holders(OTHER.sha256), len(address.asked)) == ((), 1)
    world.clock.advance(timedelta(seconds=1))
    published.follow()
    assert (store.certificate_holders(OTHER.sha256), len(address.asked)) == ((), 1)

    for _ in range(3):
        published.follow(is_early=True)
    assert (store.certificate_holders(OTHER.sha256), len(address.asked)) == ((CLIENT,), 2)


def test_strangers_have_a_few_addresses_asked_and_no_more(
    world: AuthorizationWorld, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many clients there are: those that were asked longest ago."""
    monkeypatch.setattr(following, "MOST_EARLY", 2)
    published = follower(world)
    for number in range(4):
        world.register.save_client(owner(client_id=f"publishing-{number}", jwks=None, jwks_uri=f"{URL}/{number}"))
        published.follow()
        world.clock.advance(timedelta(seconds=1))
    world.clock.advance(FETCHED_AT_MOST_EVERY)
    address.asked.clear()

    published.follow(is_early=True)

    assert sorted(address.asked) == [f"{URL}/0", f"{URL}/1"]


def test_early_looks_are_no_closer_than_others(
    world: AuthorizationWorld, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often an unknown one comes: what comes meanwhile has its look after the pause, and the next one is on time."""
    monkeypatch.setattr(following, "LOOK", EARLY_LOOK_PAUSE * 1.001)  # nobody waits here for the look that is on time
    world.register.save_client(owner(jwks=None, jwks_uri=URL))
    address.certificates = (OWN,)
    published = follower(world)

    published.look_early()
    assert published.turn() == following.LOOK
    assert published.turn() == EARLY_LOOK_PAUSE
    published.look_early()
    published.look_early()
    assert [published.turn(), published.turn()] == [following.LOOK, EARLY_LOOK_PAUSE]


def test_a_look_that_fails_is_not_the_last(world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    published = follower(world)
    monkeypatch.setattr(published, "follow", lambda **_: 1 / 0)
    published.look_early()
    assert published.turn() == following.LOOK


@pytest.mark.parametrize("listener", ["edge", "front", ""])
def test_only_the_edge_itself_says_that_an_unknown_one_came(world: AuthorizationWorld, listener: str) -> None:
    """Nothing of the sort is passed on."""
    path, caller = "/internal/unknown-certificates", {"chassis.caller": "gateway"}
    browser = world.app.test_client()

    assert browser.post(path, json={}, headers={"X-Sandbox-Listener": listener}, environ_overrides=caller).status_code == 404
    assert browser.post(path, json={}, environ_overrides={"chassis.caller": "portal"}).status_code == 404
    assert browser.post(path, json={}, environ_overrides=caller).status_code == 200


def test_a_client_s_new_certificate_is_taken_at_once(world: AuthorizationWorld, address: Address) -> None:
    """A QWAC that its own client publishes, for one: the address is asked anew, as for an unknown kid, and no sooner."""
    world.register.save_client(owner(jwks=None, jwks_uri=URL))
    address.certificates = (OWN,)
    answers = [call(world)]
    address.certificates = (OTHER,)
    answers.append(call(world, certificate=OTHER))
    world.clock.advance(FETCHED_AT_MOST_EVERY)
    answers += [call(world, certificate=OTHER), call(world, certificate=OWN)]

    assert [answer.status_code for answer in answers] == [200, 401, 200, 401]
    assert answers[1].get_json()["reason"] == "client.certificate_unregistered"
    assert len(address.asked) == 2

"""A `jwks_uri` leads only where it may, and brings no more than it may (CWE-918)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from gateway.oauth.jose.key_fetching import KeyFetcher, KeysNotFetched
from gateway.oauth.jose.key_set import MOST_BYTES
from gateway.trust.fetching import Fetched, Fetcher, Order
from tests.support.jose import JwksServer, es256, jwks
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

CA = Authority("Own CA")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JwksServer]:
    server = JwksServer(CA, tmp_path_factory.mktemp("jwks"))
    server.files["/jwks"] = jwks(es256()).encode()
    yield server
    server.stop()


def fetcher(server: JwksServer, *, named: bool = True, authority: Authority = CA) -> KeyFetcher:
    own = Fetcher(ssl.create_default_context(cadata=authority.pem))
    return KeyFetcher(public=lambda: own, internal=lambda: own, internal_hosts=frozenset({server.host} if named else ()))


def refusal(fetching: KeyFetcher, url: str) -> KeysNotFetched:
    with pytest.raises(KeysNotFetched) as refused:
        fetching.fetch(url, party="PSDDE-BAFIN-100001")
    return refused.value


def test_a_host_that_the_operator_names_is_asked(server: JwksServer) -> None:
    assert fetcher(server).fetch(server.url("/jwks"), party="PSDDE-BAFIN-100001") == jwks(es256())


def test_a_host_inside_is_not_and_the_client_does_not_learn_that_it_is_there(server: JwksServer) -> None:
    """The same words whether something listens there or not."""
    there = refusal(fetcher(server, named=False), server.url("/jwks"))
    nowhere = refusal(fetcher(server, named=False), "https://nowhere.invalid/jwks")

    assert "not on the public internet" in there.detail
    assert str(there) == str(nowhere)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "127.1", "0", "2130706433"]
)
def test_no_spelling_of_an_internal_address_is_asked(server: JwksServer, host: str) -> None:
    assert "not on the public internet" in refusal(fetcher(server), f"https://{host}/jwks").detail


def test_without_tls_nobody_is_asked(server: JwksServer) -> None:
    before = len(server.paths)
    assert "is not https" in refusal(fetcher(server), f"http://{server.host}/jwks").detail
    assert len(server.paths) == before


def test_the_server_proves_its_name(server: JwksServer) -> None:
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(fetcher(server, authority=Authority()), server.url("/jwks")).detail


def test_a_redirect_is_not_followed(server: JwksServer) -> None:
    """Not even to the same host."""
    server.files["/moved"] = "/jwks"
    before = server.paths.count("/jwks")

    assert "redirects" in refusal(fetcher(server), server.url("/moved")).detail
    assert server.paths.count("/jwks") == before


def test_more_than_a_set_of_keys_takes_is_not_read(server: JwksServer) -> None:
    server.files["/huge"] = b" " * (MOST_BYTES + 1)

    assert f"more than {MOST_BYTES} bytes" in refusal(fetcher(server), server.url("/huge")).detail


def test_an_address_is_asked_in_the_name_of_who_gave_it() -> None:
    """So that names that are not found count against the TPP that has made them up."""
    orders: list[Order] = []

    class Noting:
        def fetch(self, order: Order) -> Fetched:
            orders.append(order)
            return Fetched(jwks(es256()).encode(), None)

    KeyFetcher(public=Noting, internal=Noting, internal_hosts=frozenset()).fetch("https://tpp.example/", party="PSDDE-BAFIN-1")
    assert [order.party for order in orders] == ["PSDDE-BAFIN-1"]


def test_what_is_no_set_of_public_keys_is_not_taken_and_the_client_hears_why(server: JwksServer) -> None:
    server.files["/private"] = jwks({**es256().jwk, "d": "AQAB"}).encode()

    assert "keys.0.d: is private" in str(refusal(fetcher(server), server.url("/private")))

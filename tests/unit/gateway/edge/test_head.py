"""Heads on their way through: what passes, what does not, and what the edge adds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from gateway.admission.admit import Admission
from gateway.admission.request import Connection, Leaf, Request
from gateway.admission.tokens import AccessToken
from gateway.dpop.rule import NonceRule
from gateway.edge.client_head import ClientHead, HeadReader
from gateway.edge.upstream.head import Identity, new_fields, passed_fields, upstream_head
from gateway.edge.upstream.reply_heads import ReplyHead
from gateway.policies.model import Listener
from gateway.register.model import Tpp
from gateway.trust.verdict import Trusted
from psd2.certificates import parse_certificate
from psd2.roles import PspRole
from tests.support.deployments import only_route
from tests.support.pki import NUMBER, Authority

QWAC = Authority().qwac()


def request(method: str = "GET", query: bytes = b"") -> Request:
    return Request(
        connection=Connection(listener=Listener.EDGE, address="192.0.2.1", tls=None, leaf=Leaf(QWAC.der)),
        id="request-1",
        method=method,
        path="/v1/accounts",
        query=query,
        host="localhost:8443",
        authorization=None,
        tpp_request_id=None,
    )


def head(*headers: tuple[bytes, bytes]) -> ClientHead:
    return HeadReader().read([(b"host", b"localhost:8443"), *headers])


def admission(*, subject: str | None = "anna.weber", scope: str = "AIS:1") -> Admission:
    tpp = Tpp(
        authorisation_number=NUMBER,
        name="T",
        country="DE",
        nca_id="DE-BAFIN",
        nca_name="B",
        roles=frozenset({PspRole.AI, PspRole.PI, PspRole.AS}),
    )
    token = AccessToken(
        sha256="0" * 64,
        client_id="client-1",
        authorisation_number=NUMBER,
        scope=scope,
        subject=subject,
        thumbprint=QWAC.thumbprint,
        expires_at=0,
        revoked_at=None,
    )
    trusted = Trusted(certificate=parse_certificate(QWAC.der), status=None, holds_from=0, holds_until=math.inf)
    return Admission(trusted=trusted, tpp=tpp, token=token)


def lines(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\r\n\r\n").split(b"\r\n")


def test_the_internal_server_gets_what_the_edge_has_established() -> None:
    """One line each, ours and nobody else's; of the roles those that certificate and register both grant."""
    written = lines(upstream_head(request(query=b"a=b"), head((b"accept", b"*/*")), admission()))
    assert written[:3] == [b"GET /v1/accounts?a=b HTTP/1.1", b"host: localhost:8443", b"accept: */*"]
    assert set(written[3:-1]) == {
        b"x-sandbox-listener: edge",
        b"traceparent: 00-request1-request1-01",
        b"x-sandbox-request: request-1",
        b"x-sandbox-address: 192.0.2.1",
        b"x-sandbox-certificate: qwac",
        b"x-sandbox-tpp: PSDDE-BAFIN-100001",
        b"x-sandbox-roles: PSP_AI PSP_PI",
        b"x-sandbox-client: client-1",
        b"x-sandbox-scope: AIS:1",
        b"x-sandbox-subject: anna.weber",
    }
    assert written[-1].startswith(b"client-cert: :MII")


@pytest.mark.parametrize("rule", [None, *NonceRule])
def test_who_judges_proofs_hears_what_the_route_says_of_nonces(rule: NonceRule | None) -> None:
    """The authorization server's, beside no token; nothing where the route says nothing."""
    route = replace(only_route(), dpop_nonce=rule)
    written = lines(upstream_head(request(), head((b"x-sandbox-dpop-nonce", b"off")), replace(admission(), route=route)))
    told = [line for line in written if line.startswith(b"x-sandbox-dpop-nonce")]
    assert told == ([] if rule is None else [b"x-sandbox-dpop-nonce: " + rule.encode()])


def test_a_certificate_that_was_not_judged_is_not_handed_on() -> None:
    """A browser listener may have none to judge."""
    assert b"client-cert" not in upstream_head(request(), head(), Admission())


def test_a_value_can_never_end_its_line() -> None:
    """Whatever somebody managed to register as a subject or a scope."""
    written = upstream_head(request(), head(), admission(subject="anna\r\nX-Sandbox-Roles: PSP_AS", scope="AIS:ä"))
    assert b"\r\nX-Sandbox-Roles" not in written
    assert b"x-sandbox-subject: anna%0D%0AX-Sandbox-Roles%3A%20PSP_AS\r\n" in written
    assert b"x-sandbox-scope: AIS%3A%C3%A4\r\n" in written


def test_framing_is_written_anew() -> None:
    """Exactly one of length and chunks; a POST without a body says so."""
    counted = upstream_head(request("POST"), head((b"content-length", b"5")), Admission())
    assert counted.count(b"content-length: 5\r\n") == 1
    chunked = upstream_head(request("POST"), head((b"transfer-encoding", b"chunked")), Admission())
    assert b"transfer-encoding: chunked\r\n" in chunked
    assert b"content-length" not in chunked
    assert b"content-length: 0\r\n" in upstream_head(request("POST"), head(), Admission())
    assert b"content-length" not in upstream_head(request("GET"), head(), Admission())


def test_what_a_name_meant_is_remembered_only_so_far() -> None:
    """A client that invents names does not fill the memory, and each is still judged rightly."""
    reader = HeadReader()
    for number in range(3_000):
        assert reader.read([(b"x-%d" % number, b"1")]).lines
    assert len(reader._fates) == 2_000
    assert not reader.read([(b"x-sandbox-late", b"1")]).lines


def test_connection_may_name_what_it_likes_but_not_take_ours_away() -> None:
    """Its tokens are read in any case and spacing."""
    passed = head((b"connection", b"close ,\tX-Mine"), (b"x-mine", b"1"), (b"x-other", b"2")).lines
    assert passed == [b"x-other: 2\r\n"]


def test_the_client_gets_the_reply_without_what_is_between_us_and_the_server() -> None:
    """And with the request's id."""
    reply = [(b"content-type", b"a"), (b"connection", b"x-inner"), (b"x-inner", b"1"), (b"transfer-encoding", b"chunked")]
    head = ReplyHead(200, reply)
    assert passed_fields(head).fields == [(b"content-type", b"a"), (b"server", b"gateway")]
    assert passed_fields(head).lines == b"content-type: a\r\nserver: gateway\r\n"
    assert new_fields(head, request()) == [(b"x-sandbox-request", b"request-1")]


def test_what_was_established_is_written_anew_whenever_it_is_something_else() -> None:
    """On one connection: another token, another state of the TPP, another judgement; never the last request's."""
    asked = request()
    first = admission(scope="AIS:1")
    assert b"x-sandbox-scope: AIS:1\r\n" in upstream_head(asked, head(), first)
    assert Identity.of(asked.connection, first) is Identity.of(asked.connection, first)

    other_token = replace(first, token=admission(scope="AIS:2").token)
    assert b"x-sandbox-scope: AIS:2\r\n" in upstream_head(asked, head(), other_token)
    no_token = replace(first, token=None)
    assert b"x-sandbox-scope" not in upstream_head(asked, head(), no_token)
    assert first.tpp is not None
    fewer_roles = replace(first, tpp=replace(first.tpp, roles=frozenset({PspRole.AI})))
    assert b"x-sandbox-roles: PSP_AI\r\n" in upstream_head(asked, head(), fewer_roles)
    assert first.trusted is not None
    certificate = parse_certificate(Authority().qwac(roles=frozenset({PspRole.PI})).der)
    judged_anew = replace(first, trusted=replace(first.trusted, certificate=certificate))
    assert b"x-sandbox-roles: PSP_PI\r\n" in upstream_head(asked, head(), judged_anew)
    assert b"client-cert" not in upstream_head(asked, head(), replace(first, trusted=None))


def test_a_repeated_head_goes_on_as_it_did_and_anything_else_is_written_anew() -> None:
    """Another path, host, route or token makes other words of the same lines."""
    asked, same = request(), head((b"accept", b"a/b"), (b"authorization", b"Bearer x"))
    admitted, unjudged = admission(), replace(admission(), token=None)
    written = upstream_head(asked, same, admitted)
    assert upstream_head(asked, same, admitted) == written
    assert b"Bearer x" in upstream_head(asked, same, unjudged)
    assert b"Bearer x" not in upstream_head(asked, same, admitted)
    assert upstream_head(asked, same, admitted, host=b"other").startswith(b"GET /v1/accounts HTTP/1.1\r\nhost: other\r\n")
    assert upstream_head(asked, same, admitted).startswith(b"GET /v1/accounts HTTP")
    asked.path = "/v1/other"
    assert upstream_head(asked, same, admitted).startswith(b"GET /v1/other HTTP")
    asked.method = "PUT"
    assert upstream_head(asked, same, admitted).startswith(b"PUT /v1/other HTTP")
    asked.query = b"a"
    assert upstream_head(asked, same, admitted).startswith(b"PUT /v1/other?a HTTP/1.1\r\nhost: localhost:8443\r\n")
    hidden = replace(admitted, route=only_route(plan={"subscription": "optional", "location": "header", "name": "accept"}))
    assert b"accept: a/b" not in upstream_head(asked, same, hidden)
    assert b"accept: a/b" in upstream_head(asked, same, admitted)
    assert b"content-length: 0\r\n" in upstream_head(asked, same, admitted)
    assert b"accept: b/c" in upstream_head(asked, head((b"accept", b"b/c")), admitted)

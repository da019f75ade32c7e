"""Audit records: what stands in them, what never does, and that one request's never stands in another's."""

from __future__ import annotations

import math
from dataclasses import replace

import orjson

from gateway.admission.admit import Admission
from gateway.admission.request import Connection, Leaf, Request, TlsFacts
from gateway.admission.tokens import AccessToken
from gateway.audit.exchange import REFUSED, Exchange
from gateway.audit.record import RecordWriter
from gateway.policies.model import Listener
from gateway.trust.verdict import Status, Trusted
from psd2.certificates import parse_certificate
from tests.support.deployments import shipped_routes
from tests.support.pki import NUMBER, Authority

QWAC = Authority().qwac()
ROUTES = shipped_routes().table
TLS = TlsFacts(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", resumed=True, server_name="localhost")
TOKEN = AccessToken(
    sha256="ab" * 32,
    client_id="client-1",
    authorisation_number=NUMBER,
    scope="AIS:1",
    subject="anna",
    thumbprint=QWAC.thumbprint,
    expires_at=0,
    revoked_at=None,
)


def exchange(path: str = "/v1/accounts") -> Exchange:
    connection = Connection(listener=Listener.EDGE, address="192.0.2.1", tls=TLS, leaf=Leaf(QWAC.der))
    request = Request(
        connection=connection,
        id="request-1",
        method="GET",
        path=path,
        query=b"code=secret",
        host="localhost",
        authorization=b"Bearer secret",
        tpp_request_id=b"r-1",
    )
    trusted = Trusted(
        certificate=parse_certificate(QWAC.der),
        status=Status(method="crl", as_of=0, known_until=math.inf),
        holds_from=0,
        holds_until=math.inf,
    )
    admission = Admission(route=ROUTES.route_of(Listener.EDGE, "GET", "/v1/accounts"), trusted=trusted, token=TOKEN)
    return Exchange(
        request=request,
        admission=admission,
        arrived_at=1.8e9 - 0.02,
        began_at=1,
        admitted_at=1.002,
        replied_at=1.01,
        status=200,
    )


def record(writer: RecordWriter, of: Exchange) -> dict[str, object]:
    written: dict[str, object] = orjson.loads(writer.of_exchange(of, ended_at=1.02))
    return written


def test_a_record_says_who_asked_for_what_how_and_with_what_result() -> None:
    """Every part of it."""
    written = record(RecordWriter(), exchange())
    assert written["ts"] == "2027-01-15T08:00:00.000000+00:00"
    assert (written["request_id"], written["tpp_request_id"]) == ("request-1", "r-1")
    assert (written["deployment"], written["route"], written["upstream"]) == ("xs2a-accounts", "/v1/accounts", "bank")
    assert (written["outcome"], written["status"], written["tpp"]) == ("admitted", 200, NUMBER)
    assert written["tls"] == {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "resumed": True}
    assert written["token"] == {
        "id": "ab" * 8,
        "tpp": NUMBER,
        "client_id": "client-1",
        "scope": "AIS:1",
        "expires": "1970-01-01T00:00:00.000000+00:00",
        "cnf_match": True,
    }
    assert written["asks"] == {
        "address": False,
        "certificate": "required",
        "conditions": False,
        "role": "PSP_AI",
        "scope": "AIS",
        "token": "if_presented",
        "signature": "optional",
        "message_signatures": "optional",
    }
    assert written["revocation"] == {"method": "crl", "status": "good", "as_of": "1970-01-01T00:00:00.000000+00:00"}
    assert written["latency_ms"] == {"admission": 2.0, "total": 20.0, "upstream": 8.0}
    certificate = written["certificate"]
    assert isinstance(certificate, dict)
    assert certificate["authorisation_number"] == NUMBER
    assert certificate["sha256"] == QWAC.sha256


def test_a_token_that_is_bound_to_a_key_is_recorded_with_the_key() -> None:
    """RFC 9449 §6.1: no certificate matches it, and none has to."""
    first = exchange()
    bound = replace(first.admission, token=replace(TOKEN, thumbprint="", jkt="of-the-key"))

    token = record(RecordWriter(), replace(first, admission=bound))["token"]

    assert isinstance(token, dict)
    assert token["jkt"] == "of-the-key"
    assert "cnf_match" not in token


def test_no_secret_stands_in_a_record() -> None:
    """Neither the token nor the query, and of the token's hash a part only."""
    text = RecordWriter().of_exchange(exchange(), ended_at=2)
    assert b"secret" not in text
    assert b"ab" * 32 not in text


def test_what_a_connection_remembers_is_never_another_requests() -> None:
    """The same connection: another route, another token, none at all, a certificate that is trusted no more."""
    writer, first = RecordWriter(), exchange()
    assert record(writer, first)["token"]
    admission = first.admission
    changed = {
        "route": replace(admission, route=ROUTES.route_of(Listener.EDGE, "POST", "/v1/consents")),
        "token": replace(admission, token=None),
        "revocation": replace(admission, trusted=None),
        "deployment": replace(admission, route=None),
    }
    before = record(writer, first)
    for member, other in changed.items():
        assert record(writer, replace(first, admission=other))[member] != before[member]
        assert record(writer, first) == before


def test_a_refused_request_is_filed_under_the_tpp_that_its_issuer_vouches_for() -> None:
    """Although nothing was admitted."""
    refused = exchange()
    refused.admission = Admission()
    refused.outcome, refused.reason, refused.status, refused.refused_tpp = REFUSED, "mtls.expired", 401, NUMBER
    written = record(RecordWriter(), refused)
    assert (written["tpp"], written["route"], written["token"], written["upstream"]) == (NUMBER, None, None, None)


def test_what_is_too_long_is_cut_and_what_is_odd_is_escaped() -> None:
    """One line, whatever was asked for."""
    odd = exchange(path="/" + "x" * 9_000)
    odd.detail = 'line\nbreak "quoted"'
    line = RecordWriter().of_exchange(odd, ended_at=2)
    assert b"\n" not in line
    assert len(orjson.loads(line)["path"]) == 500
    assert orjson.loads(line)["detail"] == 'line\nbreak "quoted"'


def test_a_certificate_that_cannot_be_read_is_named_by_its_hash() -> None:
    """There is nothing else to say of it."""
    unread = exchange()
    unread.request.connection.leaf = Leaf(b"\x30\x03abc")
    unread.admission = Admission()
    assert record(RecordWriter(), unread)["certificate"] == {"sha256": Leaf(b"\x30\x03abc").sha256}

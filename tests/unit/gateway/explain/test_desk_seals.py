"""The explain desk judges seals as the edge does: missing, not good, or good, by what the route demands (BG IG 1.3.8 §12)."""

from __future__ import annotations

import asyncio
import time
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admission.admit import Admission
from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Request
from gateway.audit.exchange import Exchange
from gateway.edge.client_head import HeadReader
from gateway.explain.desk import Seals
from gateway.policies.model import Listener
from gateway.trust.judgement import Judge
from gateway.trust.rules import Method, RevocationRules, StoreRules
from gateway.trust.snapshot import TrustSnapshot
from tests.support.admission import tpp
from tests.support.deployments import deployment
from tests.support.pki import Authority, Issued
from tests.support.signing import signed_headers

if TYPE_CHECKING:
    from gateway.admission.signatures import SignatureVerdict

NOW = time.time()
BODY = b"{}"
TARGET = "post /things"


@cache
def authority() -> Authority:
    return Authority()


@cache
def seal() -> Issued:
    return authority().qseal()


def good() -> dict[str, str]:
    return signed_headers(seal(), BODY, at=NOW, target=TARGET)


def spoilt() -> dict[str, str]:
    """Return the headers of a request whose Date was changed after it was signed."""
    return good() | {"date": signed_headers(seal(), BODY, at=NOW - 1)["date"]}


def judged(headers: dict[str, str], **rules: str) -> SignatureVerdict | None:
    """Have the desk judge a request for a route of these rules."""
    (route,) = deployment({"path": "/things", "methods": ["POST"], "scopes": ["AIS"]}, **rules).routes
    snapshot = TrustSnapshot(anchors=(authority().certificate,), intermediates=(), crls={}, blocked=frozenset())
    judge = Judge(snapshot, StoreRules(revocation=RevocationRules(method=Method.NONE)))
    known: Any = SimpleNamespace(judge_of=lambda store: {"tpp": judge}[store])
    connection = Connection(listener=Listener.EDGE, address="", tls=None, leaf=None)
    request = Request(
        connection=connection,
        id="1",
        method="POST",
        path="/things",
        query=b"",
        host="localhost",
        authorization=None,
        tpp_request_id=None,
    )
    exchange = Exchange(request=request, admission=Admission(route=route, tpp=tpp()), arrived_at=NOW, began_at=0.0)
    head = HeadReader().read([(name.encode(), value.encode()) for name, value in headers.items()])
    verdict = asyncio.run(Seals(known, NOW, 300).judge(exchange, head, BODY))
    assert exchange.signature is verdict
    return verdict


def reason(headers: dict[str, str], **rules: str) -> str | None:
    """Return why the request would be refused, None where it would not."""
    try:
        judged(headers, **rules)
    except Refusal as refusal:
        return refusal.reason
    return None


def test_one_that_is_demanded_has_to_be_there_and_good() -> None:
    assert reason({}, signature="required") == "signature.missing"
    assert reason(spoilt(), signature="required") == "signature.invalid"
    assert reason(good(), signature="required") is None


def test_of_one_that_is_not_demanded_the_fault_is_told() -> None:
    """The request would go on, and the bank would hear what is wrong."""
    verdict = judged(spoilt(), signature="optional")
    assert verdict is not None
    assert verdict.refusal is not None
    assert verdict.refusal.reason == "signature.invalid"
    assert judged({}, signature="optional") is None


@pytest.mark.parametrize("headers", [good(), spoilt()], ids=["good", "not good"])
def test_where_none_is_looked_at_none_is_judged(headers: dict[str, str]) -> None:
    assert judged(headers, signature="off") is None


def test_a_message_signature_that_is_demanded_has_to_be_there() -> None:
    """One that is there covers the token, which the desk does not have: it can't be judged here."""
    assert reason(good(), message_signatures="required") == "message_signature.missing"
    both = {"signature-input": 'a=("@method");tag="fapi-2-request"', "signature": "a=:AAAA:"}
    assert reason(both, message_signatures="required") is None

"""HTTP message signatures at a real edge with two workers: requests that are judged, answers that are signed (RFC 9421)."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.register.model import SigningAlg
from tests.support.dpop import Prover
from tests.support.edge import HOST, running_edge
from tests.support.http2 import head, http2
from tests.support.jose import JwksServer
from tests.support.message_signatures import (
    Answered,
    Asked,
    MessageSigner,
    digest_of,
    require_signed_answer,
    signed_fields,
)
from tests.support.pki import Authority
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.edge import Answer, EdgeUnderTest
    from tests.support.scripted_upstream import Conversation, Received

BODY = b'{"amount": "1.00"}'
SIGNER = MessageSigner()
STRANGER = MessageSigner()
SERVER = MessageSigner(kid="server-1")
CLIENTS_CA = Authority("CA of clients' servers")
USUALLY_COVERED = {'"@status"', '"@method";req', '"@target-uri";req', '"content-digest"', '"@signature-params"'}
WISH = 'me=("@status" "content-type" "@method";req);created;keyid;nonce="n-1";tag="fapi-2-response"'


def deployment(name: str, **policies: Any) -> dict[str, Any]:
    """Return a deployment at `/NAME/thing` that asks for a token."""
    routes = [{"path": "/thing", "methods": ["GET", "POST", "HEAD"], "scopes": ["AIS"]}]
    usual = {"listener": "edge", "upstream": "bank", "mtls": "required", "errors": "xs2a", "path_prefix": f"/{name}"}
    return usual | {"routes": routes} | policies


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JwksServer]:
    """Lend a client's server, which publishes its keys."""
    server = JwksServer(CLIENTS_CA, tmp_path_factory.mktemp("jwks"))
    server.files["/jwks"] = json.dumps(STRANGER.jwks).encode()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, published: JwksServer) -> Iterator[EdgeUnderTest]:
    """Lend an edge whose client has registered a key."""
    folder = tmp_path_factory.mktemp("signed")
    deployments = {
        "strict": deployment("strict", message_signatures="required"),
        "lenient": deployment("lenient", message_signatures="optional", signature="optional"),
        "answering": deployment("answering", message_signatures="optional", response_signatures="always"),
        "asked": deployment("asked", response_signatures="if_asked"),
    }
    file = folder / "configuration.json"
    file.write_text(json.dumps({"deployments": deployments}))
    settings = {"SIGNED_RESPONSE_BYTES": "4096", "INTERNAL_CLIENT_HOSTS": published.host}
    with running_edge(folder / "home", CONFIGURATION=str(file), **settings) as edge:
        edge.home.trust_bundle.write_text(edge.home.trust_bundle.read_text() + CLIENTS_CA.pem)
        edge.register.client(jwks=SIGNER.jwks)
        edge.authorization.reply = signing
        yield edge


def signing(request: Received, conversation: Conversation) -> bool:
    """Sign as the authorization server does."""
    conversation.read_body(request)
    said = json.loads(request.body)
    line = f'"@signature-params": {said["parameters"]};keyid="{SERVER.kid}"'
    signature = SERVER.sign("\n".join([*said["lines"], line]))
    body = json.dumps({"keyid": SERVER.kid, "signature": base64.b64encode(signature).decode()}).encode()
    conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return True


def sent(
    edge: EdgeUnderTest,
    path: str = "/strict/thing",
    *,
    body: bytes | None = None,
    more: dict[str, str] | None = None,
    signer: MessageSigner = SIGNER,
    changed: dict[str, str] | None = None,
    token: str | None = None,
    scheme: str = "Bearer",
    **how: Any,
) -> Answer:
    """Send a signed request; `changed` are fields that are not what was signed."""
    token = token or edge.register.token(edge.qwac)
    method = "POST" if body is not None else "GET"
    fields = {"authorization": f"{scheme} {token}"} | (more or {})
    if body is not None:
        fields |= {"content-digest": digest_of(body)}
    how = {"method": method, "url": f"https://{HOST}{path}", "created": int(time.time())} | how
    fields |= signed_fields(signer, fields=fields, **how) | (changed or {})
    return edge.get(path, certificate=edge.qwac, method=method, headers=fields, body=body)


def said(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.code, answer.reason


def test_a_signed_request_passes_and_the_log_says_by_which_key(edge: EdgeUnderTest) -> None:
    answer = sent(edge, "/strict/thing?a=1", body=BODY)
    assert answer.status == 200
    assert answer.json["body"] == BODY.decode()
    signature = edge.record_of(answer)["signature"]
    assert (signature["verdict"], signature["keyid"], signature["alg"]) == ("valid", SIGNER.kid, "ES256")


def test_an_unsigned_request_is_told_what_to_sign(edge: EdgeUnderTest) -> None:
    """RFC 9421 §5.1: in the field that asks for signatures."""
    token = edge.register.token(edge.qwac)
    answer = edge.get("/strict/thing", certificate=edge.qwac, token=token)
    assert said(answer) == (401, "SIGNATURE_MISSING", "message_signature.missing")
    assert 'tag="fapi-2-request"' in answer.headers["accept-signature"]
    assert edge.get("/lenient/thing", certificate=edge.qwac, token=token).status == 200


@pytest.mark.parametrize("path", ["/strict/thing", "/lenient/thing"])
def test_a_signature_by_somebody_else_is_refused(edge: EdgeUnderTest, path: str) -> None:
    """Where none is demanded, one that is there is good or refused."""
    answer = sent(edge, path, signer=STRANGER)
    assert said(answer) == (401, "SIGNATURE_INVALID", "message_signature.invalid")
    assert edge.record_of(answer)["token"]["client_id"] == "client-1"


def test_what_was_changed_on_the_way_is_refused(edge: EdgeUnderTest) -> None:
    token = edge.register.token(edge.qwac)
    other = {"authorization": f"Bearer {edge.register.token(edge.qwac)}"}
    assert sent(edge, token=token, changed=other).reason == "message_signature.invalid"
    assert sent(edge, url=f"https://{HOST}/strict/another").reason == "message_signature.invalid"
    assert sent(edge, method="PUT").reason == "message_signature.invalid"
    assert sent(edge, body=BODY, changed={"content-digest": digest_of(b"{}")}).reason == "message_signature.digest_mismatch"


def test_a_signature_is_fresh(edge: EdgeUnderTest) -> None:
    assert sent(edge, created=int(time.time()) - 90).reason == "message_signature.too_old"
    assert sent(edge, created=int(time.time()) + 60).reason == "message_signature.not_yet"


def test_a_signature_passes_once_over_all_workers(edge: EdgeUnderTest) -> None:
    """RFC 9421 §7.2.2: on whichever worker it comes again; each request has its own connection."""
    token, path = edge.register.token(edge.qwac), "/strict/thing"
    fields = {"authorization": f"Bearer {token}"}
    fields |= signed_fields(SIGNER, method="GET", url=f"https://{HOST}{path}", fields=fields, created=int(time.time()))
    assert edge.get(path, certificate=edge.qwac, headers=fields).status == 200
    again = {said(edge.get(path, certificate=edge.qwac, headers=fields)) for _ in range(5)}
    assert again == {(401, "SIGNATURE_INVALID", "message_signature.replayed")}


def test_a_dry_run_judges_a_signature_and_does_not_use_it_up(edge: EdgeUnderTest) -> None:
    token, path = edge.register.token(edge.qwac), "/strict/thing"
    fields = {"authorization": f"Bearer {token}"}
    signature = signed_fields(SIGNER, method="GET", url=f"https://{HOST}{path}", fields=fields, created=int(time.time()))

    def verdict(headers: dict[str, str], asked: str = path) -> str:
        question = json.dumps({"method": "GET", "path": asked, "headers": headers}).encode()
        answer = edge.get("/explain", certificate=edge.qwac, method="POST", token=token, body=question)
        return next(str(check["verdict"]) for check in answer.json["checks"] if check["check"] == "signature")

    assert (verdict(signature), verdict({}), verdict(signature, "/strict/thing?a=1")) == ("passed", "failed", "failed")
    assert edge.get(path, certificate=edge.qwac, headers=fields | signature).status == 200


def test_a_proof_of_possession_is_signed_with_it(edge: EdgeUnderTest) -> None:
    prover = Prover()
    token = edge.register.token(edge.qwac, jkt=prover.jkt)
    proof = {"dpop": prover.proof("GET", f"https://{HOST}/strict/thing", token=token)}
    without = ('"@method"', '"@target-uri"', '"authorization"')
    assert sent(edge, token=token, scheme="DPoP", more=proof, components=without).reason == "message_signature.components"
    proof = {"dpop": prover.proof("GET", f"https://{HOST}/strict/thing", token=token)}
    assert sent(edge, token=token, scheme="DPoP", more=proof).status == 200


def test_a_client_without_keys_can_not_sign(edge: EdgeUnderTest) -> None:
    edge.register.client("client-2")
    token = edge.register.token(edge.qwac, client_id="client-2")
    assert sent(edge, token=token).reason == "message_signature.keys"
    assert sent(edge, token=edge.register.token(edge.qwac), signer=MessageSigner(kid="new")).reason == "message_signature.key"


def test_keys_that_a_client_changes_are_in_force(edge: EdgeUnderTest) -> None:
    """By the feed, within a second."""
    successor = MessageSigner.of(SigningAlg.EDDSA, "next")
    edge.register.client("client-3", jwks=SIGNER.jwks)
    token = edge.register.token(edge.qwac, client_id="client-3")
    assert sent(edge, token=token).status == 200
    edge.register.client("client-3", jwks=successor.jwks)
    wait_until(lambda: all(sent(edge, token=token).status == 401 for _ in range(5)), seconds=30, what="the new keys")
    assert sent(edge, token=token).reason == "message_signature.key"
    assert sent(edge, token=token, signer=successor).status == 200


def test_keys_that_a_client_publishes_are_fetched_once_for_all_workers(edge: EdgeUnderTest, published: JwksServer) -> None:
    """By the edge itself, which keeps them where the authorization server finds them, too."""
    edge.register.client("client-4", jwks_uri=published.url("/jwks"))
    token = edge.register.token(edge.qwac, client_id="client-4")
    assert [sent(edge, token=token, signer=STRANGER).status for _ in range(4)] == [200] * 4
    assert sent(edge, token=token, signer=SIGNER).reason == "message_signature.invalid"
    assert published.paths == ["/jwks"]


def test_the_bank_is_not_asked_to_take_it_for_a_seal(edge: EdgeUnderTest) -> None:
    """Both kinds are in the field Signature; Signature-Input tells them apart."""
    headers = dict(sent(edge, "/lenient/thing").json["headers"])
    assert "x-sandbox-signature" not in headers
    assert headers["signature-input"].startswith("sig1=")


# --- answers ---


def asked_for(edge: EdgeUnderTest, path: str, *, method: str = "GET", **headers: str) -> Answer:
    token = edge.register.token(edge.qwac)
    return edge.get(path, certificate=edge.qwac, method=method, token=token, headers=headers)


def covered(answer: Answer, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> set[str]:
    """Return what the answer's signature covers, which holds."""
    asked = Asked(method, f"https://{HOST}{path}", headers or {})
    found = require_signed_answer(Answered(answer.status, answer.headers, asked), SERVER.jwks, body=answer.body)
    assert found["parameters"]["keyid"] == SERVER.kid
    return set(found["covered"])


def test_an_answer_is_signed_and_linked_to_its_request(edge: EdgeUnderTest) -> None:
    answer = asked_for(edge, "/answering/thing?a=1")
    assert covered(answer, "/answering/thing?a=1") == USUALLY_COVERED
    assert answer.headers["content-digest"] == digest_of(answer.body)
    assert edge.record_of(answer)["answer_signature"] == {"keyid": SERVER.kid}


def test_an_answer_to_a_signed_request_covers_the_signature(edge: EdgeUnderTest) -> None:
    answer = sent(edge, "/answering/thing", body=BODY)
    sent_fields = {
        name: value for name, value in answer.json["headers"] if name in {"signature", "signature-input", "content-digest"}
    }
    found = covered(answer, "/answering/thing", method="POST", headers=sent_fields)
    assert found == USUALLY_COVERED | {'"content-digest";req', '"signature";req', '"signature-input";req'}


def test_an_answer_without_a_body_is_signed_without_a_digest(edge: EdgeUnderTest) -> None:
    answer = asked_for(edge, "/answering/thing", method="HEAD")
    assert covered(answer, "/answering/thing", method="HEAD") == USUALLY_COVERED - {'"content-digest"'}


def test_an_answer_is_signed_where_the_client_asks_for_it(edge: EdgeUnderTest) -> None:
    """RFC 9421 §5: under its label, with what it names beside what is always covered."""
    unasked = asked_for(edge, "/asked/thing")
    assert "signature" not in unasked.headers
    answer = asked_for(edge, "/asked/thing", **{"Accept-Signature": WISH})
    assert covered(answer, "/asked/thing") == USUALLY_COVERED | {'"content-type"'}
    assert answer.headers["signature-input"].startswith("me=(")
    assert ';nonce="n-1"' in answer.headers["signature-input"]
    declined = asked_for(edge, "/asked/thing", **{"Accept-Signature": 'me=("x-not-there");tag="fapi-2-response"'})
    assert (declined.status, "signature" in declined.headers) == (200, False)
    off = asked_for(edge, "/strict/thing", **{"Accept-Signature": WISH})
    assert "signature" not in off.headers


def test_an_answer_that_is_too_large_is_not_given_unsigned(edge: EdgeUnderTest) -> None:
    """In one piece or in chunks; where nobody demands a signature it goes out as it is."""
    large = b"x" * 5_000
    replies = [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large) + large,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(large), large),
    ]
    try:
        for reply in replies:
            edge.bank.reply = raw(reply)
            refused = asked_for(edge, "/answering/thing")
            assert said(refused) == (502, "INTERNAL_SERVER_ERROR", "message_signature.response_too_large")
            declined = asked_for(edge, "/asked/thing", **{"Accept-Signature": WISH})
            assert (declined.body, "signature" in declined.headers) == (large, False)
    finally:
        edge.bank.reply = echo


def test_an_answer_is_not_given_unsigned_where_the_signer_is_down(edge: EdgeUnderTest) -> None:
    try:
        edge.authorization.reply = raw(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        refused = asked_for(edge, "/answering/thing")
        assert said(refused) == (503, "INTERNAL_SERVER_ERROR", "message_signature.response_unsigned")
        assert "signature" not in asked_for(edge, "/asked/thing", **{"Accept-Signature": WISH}).headers
    finally:
        edge.authorization.reply = signing


def test_a_signature_of_the_upstreams_own_is_taken_out_of_a_signed_answer(edge: EdgeUnderTest) -> None:
    """Two would leave it to chance which one a client reads."""
    body = b"{}"
    try:
        own = b"Signature: sig1=:AAAA:\r\nSignature-Input: sig1=()\r\nContent-Digest: sha-256=:AAAA:\r\n"
        edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\n%bContent-Length: 2\r\n\r\n%b" % (own, body))
        assert covered(asked_for(edge, "/answering/thing"), "/answering/thing") == USUALLY_COVERED
        with edge.connect(edge.qwac) as connection:
            bearer = f"Authorization: Bearer {edge.register.token(edge.qwac)}"
            connection.sendall(
                f"HEAD /answering/thing HTTP/1.1\r\nHost: {HOST}\r\n{bearer}\r\nConnection: close\r\n\r\n".encode()
            )
            head = b"".join(iter(lambda: connection.recv(65536), b"")).lower()
        assert [head.count(name) for name in (b"signature:", b"signature-input:", b"content-digest:")] == [1, 1, 0]
    finally:
        edge.bank.reply = echo


def test_it_is_the_same_over_http2(edge: EdgeUnderTest) -> None:
    """The authority is in a field of its own there."""
    path, fields = "/answering/thing?a=1", {"authorization": f"Bearer {edge.register.token(edge.qwac)}"}
    fields |= signed_fields(SIGNER, method="GET", url=f"https://{HOST}{path}", fields=fields, created=int(time.time()))
    named = {name.replace("-", "_"): value for name, value in fields.items()}
    with http2(edge, edge.qwac) as client:
        answer = client.answer(client.ask(head(path, "GET", HOST, **named)))
    found = covered(answer, path, headers=fields)
    assert found == USUALLY_COVERED | {'"signature";req', '"signature-input";req'}


# --- refusals of the edge's own ---


def refused_signed(answer: Answer, reason: str, path: str = "/answering/thing", **asked: Any) -> set[str]:
    assert answer.reason == reason, answer.body
    return covered(answer, path, **asked)


def test_a_refusal_of_a_known_client_is_signed(edge: EdgeUnderTest) -> None:
    """By its scope, and by a server that can't be reached: with what the answer says and to which request."""
    token = edge.register.token(edge.qwac, scope="PIS:payment-1")
    answer = edge.get("/answering/thing", certificate=edge.qwac, token=token)
    assert refused_signed(answer, "token.scope") == USUALLY_COVERED
    assert edge.record_of(answer)["answer_signature"] == {"keyid": SERVER.kid}
    without_body = edge.get("/answering/thing", certificate=edge.qwac, token=token, method="HEAD")
    assert covered(without_body, "/answering/thing", method="HEAD") == USUALLY_COVERED - {'"content-digest"'}
    asked = edge.get("/asked/thing", certificate=edge.qwac, token=token, headers={"Accept-Signature": WISH})
    assert refused_signed(asked, "token.scope", "/asked/thing") == USUALLY_COVERED | {'"content-type"'}
    assert "signature" not in edge.get("/asked/thing", certificate=edge.qwac, token=token).headers


def test_a_refused_signature_is_covered_by_the_refusals(edge: EdgeUnderTest) -> None:
    """Nobody can deny which request was refused, and why."""
    token, path = edge.register.token(edge.qwac), "/answering/thing"
    fields = {"authorization": f"Bearer {token}"}
    signature = signed_fields(STRANGER, method="GET", url=f"https://{HOST}{path}", fields=fields, created=int(time.time()))
    answer = edge.get(path, certificate=edge.qwac, headers=fields | signature)
    names = {'"signature";req', '"signature-input";req'}
    assert refused_signed(answer, "message_signature.invalid", headers=signature) == USUALLY_COVERED | names


def test_a_stranger_has_nothing_signed(edge: EdgeUnderTest) -> None:
    """Without a token, with none that is known, or over another certificate than the token's."""
    token = edge.register.token(edge.qwac)
    before = len(edge.authorization.received)
    for certificate, secret in ((edge.qwac, None), (edge.qwac, "unknown"), (edge.authority.qwac(), token), (None, token)):
        answer = edge.get("/answering/thing", certificate=certificate, token=secret)
        assert (answer.status, "signature" in answer.headers) == (401, False)
    assert len(edge.authorization.received) == before


def test_a_refusal_goes_out_unsigned_where_the_signer_is_down(edge: EdgeUnderTest) -> None:
    """It stays the refusal that it is."""
    token = edge.register.token(edge.qwac, scope="PIS:payment-1")
    try:
        edge.authorization.reply = raw(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        answer = edge.get("/answering/thing", certificate=edge.qwac, token=token)
    finally:
        edge.authorization.reply = signing
    assert (answer.status, answer.reason, "signature" in answer.headers) == (403, "token.scope", False)

"""HTTP message signatures at a real edge with two workers: requests that are judged, answers that are signed (RFC 9421)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.register.model import SigningAlg
from tests.support.dpop import Prover
from tests.support.edge import HOST, running_edge
from tests.support.message_signatures import MessageSigner, digest_of, signed_fields
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.edge import Answer, EdgeUnderTest

BODY = b'{"amount": "1.00"}'
SIGNER = MessageSigner()
STRANGER = MessageSigner()


def deployment(name: str, **policies: Any) -> dict[str, Any]:
    """Return a deployment at `/NAME/thing` that asks for a token."""
    routes = [{"path": "/thing", "methods": ["GET", "POST", "HEAD"], "scopes": ["AIS"]}]
    usual = {"listener": "edge", "upstream": "bank", "mtls": "required", "errors": "xs2a", "path_prefix": f"/{name}"}
    return usual | {"routes": routes} | policies


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend an edge whose client has registered a key."""
    folder = tmp_path_factory.mktemp("signed")
    deployments = {
        "strict": deployment("strict", message_signatures="required"),
        "lenient": deployment("lenient", message_signatures="optional", signature="optional"),
    }
    file = folder / "configuration.json"
    file.write_text(json.dumps({"deployments": deployments}))
    with running_edge(folder / "home", CONFIGURATION=str(file)) as edge:
        edge.register.client(jwks=SIGNER.jwks)
        yield edge


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


def test_the_bank_is_not_asked_to_take_it_for_a_seal(edge: EdgeUnderTest) -> None:
    """Both kinds are in the field Signature; Signature-Input tells them apart."""
    headers = dict(sent(edge, "/lenient/thing").json["headers"])
    assert "x-sandbox-signature" not in headers
    assert headers["signature-input"].startswith("sig1=")

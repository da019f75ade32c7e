"""What the authorization server signs: answers to authorization requests (JARM) and introspection (RFC 9701).

Nothing in a message is used before its signature, its issuer, its audience and its age have been judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import deserialize_compact

from tpp_client.documents import Document, document_of
from tpp_client.errors import SignedAnswerRejected, UnexpectedResponse
from tpp_client.refusals import require_status
from tpp_client.signing_keys import ALGORITHMS, Algorithms
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from tpp_client.discovery import ServerMetadata
    from tpp_client.wire import HttpResponse, Transport

INTROSPECTION_TYP: Final = "token-introspection+jwt"
MOST_CHARACTERS: Final = 12 * 1024
_CLOCKS_APART_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Who has to have signed, for whom; `alg` where one was registered. `now` is seconds since 1970."""

    issuer: str
    audience: str
    now: float
    alg: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnswer:
    """A message that was judged good, and by which algorithm and key it was signed."""

    claims: Document
    alg: str
    kid: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.alg} by key {self.kid[:8]} of {self.claims.text('iss')}"


def keys_request(transport: Transport, metadata: ServerMetadata) -> HttpResponse:
    """Ask for the server's public keys; raises `UnexpectedResponse` where it publishes none."""
    if not metadata.jwks_uri:
        msg = f"{metadata.issuer} publishes no keys: nothing that it signs can be judged"
        raise UnexpectedResponse(msg)
    return transport.send(HttpRequest(method="GET", url=metadata.jwks_uri, headers={"Accept": "application/json"}))


def process_keys_response(response: HttpResponse) -> KeySet:
    """Return the server's keys (RFC 7517 §5)."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    try:
        return KeySet.import_key_set(
            {"keys": [cast("dict[str, str | list[str]]", key.fields) for key in document.children("keys")]}
        )
    except (JoseError, ValueError, TypeError) as error:
        msg = f"{document.where} is no set of public keys: {error}"
        raise UnexpectedResponse(msg) from error


def judged_answer(compact: str, keys: KeySet, expected: Expected) -> SignedAnswer:
    """Return what an answer to an authorization request says; raises `SignedAnswerRejected` (JARM §2.4)."""
    answer = _verified(compact, keys, expected, typs=(None, "JWT", "jwt"))
    if answer.claims.whole_number("exp") <= expected.now - _CLOCKS_APART_SECONDS:
        raise SignedAnswerRejected("it has expired (JARM §2.4)")
    return answer


def judged_introspection(compact: str, keys: KeySet, expected: Expected) -> SignedAnswer:
    """Return what a signed introspection says; raises `SignedAnswerRejected` (RFC 9701 §5)."""
    return _verified(compact, keys, expected, typs=(INTROSPECTION_TYP,))


def _verified(compact: str, keys: KeySet, expected: Expected, *, typs: tuple[str | None, ...]) -> SignedAnswer:
    if len(compact) > MOST_CHARACTERS:
        raise SignedAnswerRejected(f"it is longer than {MOST_CHARACTERS} characters")
    allowed = ALGORITHMS if expected.alg is None else (expected.alg,)
    try:
        message = deserialize_compact(compact, keys, registry=Algorithms(*allowed))
        claims = Document.parse(message.payload, "the signed answer")
    except (JoseError, ValueError, UnexpectedResponse) as error:
        raise SignedAnswerRejected(
            f"its signature is not one of the bank's keys, by {' or '.join(allowed)}: {error}"
        ) from error
    header: dict[str, Any] = message.headers()
    if header.get("typ") not in typs:
        raise SignedAnswerRejected(f"its type is {header.get('typ')!r}: it was signed for another purpose (RFC 8725 §3.11)")
    _require_from_to(claims, expected)
    return SignedAnswer(claims=claims, alg=str(header["alg"]), kid=str(header.get("kid", "")))


def _require_from_to(claims: Document, expected: Expected) -> None:
    if claims.fields.get("iss") != expected.issuer:
        raise SignedAnswerRejected(
            f"its issuer is {json.dumps(claims.fields.get('iss'))}, we asked {expected.issuer}: a mix-up"
        )
    audience = claims.fields.get("aud")
    if expected.audience not in (audience if isinstance(audience, list) else [audience]):
        raise SignedAnswerRejected(f"it is meant for {json.dumps(audience)}, we are {expected.audience}")

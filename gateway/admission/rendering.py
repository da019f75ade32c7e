"""Renders a refusal: tppMessages (BG IG §4.13), OAuth (RFC 6749 §5.2, RFC 6750 §3, RFC 9449 §7) or problem (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from chassis.problems import CONTENT_TYPE, problem
from gateway.admission.grounds import OAuthError
from gateway.admission.refusal import Scheme
from gateway.dpop.proof import ALGS
from gateway.policies.model import ErrorStyle
from psd2.tpp_messages import TppMessage, tpp_messages_body

if TYPE_CHECKING:
    from gateway.admission.refusal import Refusal

_OF_PROOFS = frozenset({OAuthError.INVALID_DPOP_PROOF, OAuthError.USE_DPOP_NONCE})
_CHALLENGED = frozenset({OAuthError.INVALID_TOKEN, OAuthError.INSUFFICIENT_SCOPE}) | _OF_PROOFS
_BERLIN_PREFIXES = ("/v1/", "/v2/")
_OAUTH_PATHS = frozenset({"/token", "/par", "/bc-authorize", "/introspect", "/revoke"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def style_of(path: str) -> ErrorStyle:
    """Return how to refuse a path that has no route: a TPP's library expects the format of where it knocked."""
    if path.startswith(_BERLIN_PREFIXES):
        return ErrorStyle.XS2A
    return ErrorStyle.OAUTH if path in _OAUTH_PATHS else ErrorStyle.PROBLEM


def render(refusal: Refusal, style: ErrorStyle, *, sandbox_mode: bool) -> Answer:
    """Return the answer; in sandbox mode it also says why and what helps."""
    content_type, body = _BODIES[style](refusal)
    if sandbox_mode:
        ground = refusal.ground
        body |= {"reason": ground.reason, "hint": refusal.hint, "clause": ground.clause}
    encoded = orjson.dumps(body)
    headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(encoded)),
        (b"cache-control", b"no-store"),
        *_challenge(refusal),
        *refusal.headers,
    ]
    return Answer(refusal.status, headers, encoded)


def _tpp_messages(refusal: Refusal) -> tuple[bytes, dict[str, object]]:
    return b"application/json", tpp_messages_body(TppMessage(refusal.code, refusal.public_text))


def _oauth(refusal: Refusal) -> tuple[bytes, dict[str, object]]:
    return b"application/json", {"error": refusal.ground.oauth.value, "error_description": refusal.public_text}


def _problem(refusal: Refusal) -> tuple[bytes, dict[str, object]]:
    title = HTTPStatus(refusal.status).phrase
    return CONTENT_TYPE.encode("ascii"), problem(refusal.status, refusal.reason, title, refusal.public_text)


_BODIES = {ErrorStyle.XS2A: _tpp_messages, ErrorStyle.OAUTH: _oauth, ErrorStyle.PROBLEM: _problem}


def _challenge(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    """Return the challenge of a refused token or proof; without any token it names no error (RFC 6750 §3.1, RFC 9449 §7.1)."""
    error = refusal.ground.oauth
    if error not in _CHALLENGED:
        return []
    if refusal.reason == "token.missing":
        return [(b"www-authenticate", b'Bearer realm="psd2"'), (b"www-authenticate", f'DPoP algs="{ALGS}"'.encode("ascii"))]
    description = refusal.public_text.replace('"', "'")
    said = f'error="{error}", error_description="{description}"'
    if refusal.scheme is Scheme.DPOP or error in _OF_PROOFS:
        return [(b"www-authenticate", f'DPoP {said}, algs="{ALGS}"'.encode("ascii"))]
    return [(b"www-authenticate", f'Bearer realm="psd2", {said}'.encode("ascii"))]

"""PKCE, S256 only and always (RFC 7636, RFC 9700 §2.1.1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from gateway.oauth.refusals import invalid_grant, invalid_request

if TYPE_CHECKING:
    from gateway.oauth.parameters import Parameters

METHOD: Final = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CLAUSE = "RFC 7636 §4"


def require_challenge(parameters: Parameters) -> str:
    """Return the code challenge; raises `OAuthRefused` unless it is there and made with S256.

    The method has to be named: left out, it would mean `plain` (RFC 7636 §4.3).
    """
    challenge = parameters.require("code_challenge", "is missing: PKCE is required")
    method = parameters.require("code_challenge_method", "is missing: without it, plain is meant; write S256")
    if method != METHOD:
        raise invalid_request("code_challenge_method", "must be S256: plain protects from nothing", clause=_CLAUSE)
    if not _CHALLENGE.fullmatch(challenge):
        raise invalid_request("code_challenge", "must be the 43 base64url characters of a SHA-256", clause=_CLAUSE)
    return challenge


def require_verifier(parameters: Parameters, challenge: str) -> None:
    """Raise `OAuthRefused` unless the code verifier is the one that `challenge` was made from."""
    verifier = parameters.require("code_verifier", "is missing: send what code_challenge was made from")
    if not _VERIFIER.fullmatch(verifier):
        raise invalid_request("code_verifier", "must have 43 to 128 characters A-Z a-z 0-9 - . _ ~", clause=_CLAUSE)
    if not hmac.compare_digest(_s256(verifier), challenge):
        raise invalid_grant(
            "code_verifier: does not match the code_challenge of the authorization request",
            reason="grant.pkce",
            hint="send the verifier whose SHA-256, base64url without padding, was the challenge",
            clause="RFC 7636 §4.6",
        )


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

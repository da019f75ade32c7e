"""The authorization code flow up to the code: PKCE (RFC 7636), state, and the mix-up defence of RFC 9207."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from psd2.ids import new_secret
from tpp_client.errors import AuthorizationRefused, AuthorizationResponseRejected
from tpp_client.readable import unverified_claims

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tpp_client.discovery import ServerMetadata
    from tpp_client.documents import Document

_MOST_URL = 4096
_MOST_FIELDS = 20
_SIGNED_MODES = frozenset({"jwt", "query.jwt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationAttempt:
    """What to remember between sending the PSU's browser away and its return. Its secrets stay out of the repr.

    `more` are further parameters, such as `authorization_details`, which say what `scope` does then not (RFC 9396 §3).
    """

    client_id: str
    redirect_uri: str
    scope: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def wants_signed_answer(self) -> bool:
        """Whether a signed answer was asked for (JARM §2.3): no other is one."""
        return self.more.get("response_mode") in _SIGNED_MODES


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code that answers `attempt`, to be exchanged once."""

    attempt: AuthorizationAttempt
    value: str = field(repr=False)


def begin_authorization(
    *,
    client_id: str,
    redirect_uri: str,
    scope: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
    new_secret: Callable[[], str] = new_secret,
) -> AuthorizationAttempt:
    """Start an attempt with fresh state and a fresh PKCE verifier (43 characters or more, RFC 7636 §4.1)."""
    return AuthorizationAttempt(
        client_id=client_id, redirect_uri=redirect_uri, scope=scope, state=new_secret(), verifier=new_secret(), more=more
    )


def authorization_url(metadata: ServerMetadata, attempt: AuthorizationAttempt) -> str:
    """Return the address that the PSU's browser opens."""
    return f"{metadata.authorization_endpoint}?{urlencode(authorization_parameters(attempt))}"


def authorization_parameters(attempt: AuthorizationAttempt) -> dict[str, str]:
    """Return what an authorization request says (RFC 6749 §4.1.1, RFC 7636 §4.3)."""
    return {
        "response_type": "code",
        "client_id": attempt.client_id,
        "redirect_uri": attempt.redirect_uri,
        **({"scope": attempt.scope} if attempt.scope else {}),
        "state": attempt.state,
        "code_challenge": s256_challenge(attempt.verifier),
        "code_challenge_method": "S256",
        **attempt.more,
    }


def process_authorization_response(metadata: ServerMetadata, attempt: AuthorizationAttempt, redirect: str) -> AuthorizationCode:
    """Judge the redirect before anything in it is used: place, state, issuer, then error or code.

    Raises `AuthorizationResponseRejected` for a redirect that is not the answer to this attempt, `AuthorizationRefused`
    for an honest no.
    """
    if attempt.wants_signed_answer:
        msg = "a signed answer was asked for: what stands in the redirect is judged by its signature, or not at all (JARM §2.4)"
        raise AuthorizationResponseRejected(msg)
    parameters = _parameters(redirect)
    _require_place(attempt, redirect)
    return _code(metadata, attempt, parameters)


def signed_response_of(attempt: AuthorizationAttempt, redirect: str) -> str:
    """Return the signed answer that a redirect carries, and nothing beside it; raises `AuthorizationResponseRejected`."""
    parameters = _parameters(redirect)
    _require_place(attempt, redirect)
    if parameters.keys() != {"response"}:
        found = ", ".join(sorted(parameters)) or "nothing"
        msg = f"the redirect holds {found} where a signed response alone was asked for: it may be stripped (JARM §2.3.1)"
        raise AuthorizationResponseRejected(msg)
    return parameters["response"]


def claimed_state(redirect: str) -> str:
    """Return the state that a redirect claims, signed or not, by which to find the attempt that then judges it."""
    parameters = _parameters(redirect)
    return parameters.get("state") or str(unverified_claims(parameters.get("response", "")).get("state", ""))


def process_signed_authorization_response(
    metadata: ServerMetadata, attempt: AuthorizationAttempt, claims: Document
) -> AuthorizationCode:
    """Judge a signed answer whose signature, issuer, audience and age are known to be good: state, then error or code."""
    names = ("state", "iss", "error", "error_description", "code")
    told = {name: value for name in names if (value := claims.optional_text(name)) is not None}
    return _code(metadata, attempt, told)


def _code(metadata: ServerMetadata, attempt: AuthorizationAttempt, parameters: Mapping[str, str]) -> AuthorizationCode:
    _require_state(attempt, parameters.get("state"))
    _require_issuer(metadata, parameters.get("iss"))
    if "error" in parameters:
        raise AuthorizationRefused(parameters["error"], parameters.get("error_description"))
    if not parameters.get("code"):
        msg = "the answer holds neither a code nor an error (RFC 6749 §4.1.2)"
        raise AuthorizationResponseRejected(msg)
    return AuthorizationCode(attempt=attempt, value=parameters["code"])


def s256_challenge(verifier: str) -> str:
    """Return the PKCE challenge of a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _parameters(redirect: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(urlsplit(redirect[:_MOST_URL]).query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        msg = f"the redirect can't be read: {error}"
        raise AuthorizationResponseRejected(msg) from error
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        msg = "the redirect names a parameter twice (RFC 6749 §3.1)"
        raise AuthorizationResponseRejected(msg)
    return parameters


def _require_place(attempt: AuthorizationAttempt, redirect: str) -> None:
    if urlsplit(redirect)[:3] != urlsplit(attempt.redirect_uri)[:3]:
        msg = f"the redirect came to another address than {attempt.redirect_uri}"
        raise AuthorizationResponseRejected(msg)


def _require_state(attempt: AuthorizationAttempt, state: str | None) -> None:
    if state is None or not hmac.compare_digest(state.encode(), attempt.state.encode()):
        msg = "the redirect's state is not the one we sent: it may be forged (RFC 6749 §10.12)"
        raise AuthorizationResponseRejected(msg)


def _require_issuer(metadata: ServerMetadata, issuer: str | None) -> None:
    if issuer is None and not metadata.names_issuer_in_responses:
        return
    if issuer != metadata.issuer:
        msg = f"the redirect names the issuer {issuer}, we asked {metadata.issuer}: a mix-up, it is not used (RFC 9207 §2.4)"
        raise AuthorizationResponseRejected(msg)

"""The answer to an authorization request, in the browser's next address (RFC 6749 §4.1.2, RFC 9207, JARM)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, urlencode

from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.clock import Clock

# Of a signed answer; the code in it lives for a minute (JARM §4.1 recommends 10 minutes at most).
ANSWER_LIFE: Final = timedelta(minutes=5)
DEFAULT_ALG: Final = SigningAlg.PS256


class ResponseMode(StrEnum):
    """How the answer travels. With the response type `code`, `jwt` is `query.jwt` (JARM §4.3)."""

    QUERY = "query"
    JWT = "jwt"
    QUERY_JWT = "query.jwt"

    @property
    def is_signed(self) -> bool:
        """Whether the answer is a signed JWT."""
        return self is not ResponseMode.QUERY


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAddress:
    """Where an answer goes: an address that is registered for the client. `response_alg` signs it, None leaves it plain."""

    redirect_uri: str
    state: str | None
    client_id: str
    response_alg: str | None = None


class Signer(Protocol):
    """Signs JWTs."""

    def sign(self, claims: Mapping[str, object], *, typ: str, alg: SigningAlg) -> str:
        """Return the claims as a signed JWT."""


class Responses:
    """Writes the addresses with which browsers go back to clients."""

    def __init__(self, *, issuer: str, signer: Signer, clock: Clock) -> None:
        self._issuer = issuer
        self._signer = signer
        self._clock = clock

    def url(self, to: ReturnAddress, **answer: str) -> str:
        """Return the address with `answer`, `state` and `iss`, signed as the client asked for.

        A signed answer stands alone: `iss` is inside it, and nothing else beside it (FAPI 2.0 MS §5.4.1).
        """
        if to.response_alg is None:
            return response_url(to.redirect_uri, issuer=self._issuer, state=to.state, **answer)
        return _appended(to.redirect_uri, {"response": self._signed(to, SigningAlg(to.response_alg), answer)})

    def _signed(self, to: ReturnAddress, alg: SigningAlg, answer: Mapping[str, str]) -> str:
        now = self._clock.now()
        state = {} if to.state is None else {"state": to.state}
        ends = int((now + ANSWER_LIFE).timestamp())
        claims = {**answer, **state, "iss": self._issuer, "aud": to.client_id, "iat": int(now.timestamp()), "exp": ends}
        return self._signer.sign(claims, typ="JWT", alg=alg)


def response_url(redirect_uri: str, *, issuer: str, state: str | None, **answer: str) -> str:
    """Return the registered redirect URI with `answer`, `state` and `iss` appended; what it holds itself stays as it is.

    `iss` stands in every answer, errors too: a client that talks to several banks tells by it who answered.
    """
    return _appended(redirect_uri, answer | ({"state": state} if state is not None else {}) | {"iss": issuer})


def _appended(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{urlencode(parameters, quote_via=quote)}"

"""Signed introspection answers, for whoever has to prove later what it was told (RFC 9701, FAPI 2.0 MS §5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.oauth.jose.server_keys import ServerKeys
    from gateway.register.model import Client
    from psd2.clock import Clock

TYP: Final = "token-introspection+jwt"
CONTENT_TYPE: Final = f"application/{TYP}"
DEFAULT_ALG: Final = SigningAlg.PS256


class SignedIntrospection:
    """Signs what an introspection answers."""

    def __init__(self, *, keys: ServerKeys, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    def signed(self, answer: Mapping[str, Any], client: Client) -> str:
        """Return the answer as a JWT for the client that asked.

        Neither `sub` nor `exp` stands beside it, so that it can't be taken for an access token (RFC 9701 §5).
        """
        claims = {
            "iss": self._issuer,
            "aud": client.client_id,
            "iat": int(self._clock.now().timestamp()),
            "token_introspection": answer,
        }
        return self._keys.sign(claims, typ=TYP, alg=client.introspection_signed_response_alg or DEFAULT_ALG)
